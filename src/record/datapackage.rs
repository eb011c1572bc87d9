//! `datapackage.json`: the CSV files described for programs, in the form of Frictionless Data.

use serde_json::{Map, Value, json};

use super::columns::{
    CALIBRATION, CLAIMS, Column, FACTS, Kind, MEMORY, NOISE, PLAN, Presence, REQUESTS, TRIALS,
    Table,
};
use super::{Manifest, name};

/// The descriptor of a run. Requests are described apart from `resources`: they are compressed in
/// a way that the specification has no word for, and many files of one kind.
pub(crate) fn describe(manifest: &Manifest) -> Value {
    json!({
        "name": name::plain(&manifest.run_id, "run").to_lowercase(),
        "title": manifest.question,
        "version": manifest.schema_version.to_string(),
        "created": manifest.started_utc,
        "resources": [
            resource(&PLAN),
            resource(&TRIALS),
            resource(&NOISE),
            resource(&CALIBRATION),
            resource(&MEMORY),
            resource(&FACTS),
        ],
        "requests": {
            "path_pattern": REQUESTS.file,
            "compression": "zstd",
            "description": REQUESTS.row,
            "schema": schema(&REQUESTS),
        },
    })
}

/// The text of `datapackage.json` once there is a report: the derived tables behind the raw ones,
/// which stay as whoever wrote them described them. `found` is the file as it is; one that is no
/// descriptor is made anew.
pub fn with_derived(found: &[u8], manifest: &Manifest) -> String {
    let is_described = |value: &Value| value["resources"].is_array();
    let mut descriptor = serde_json::from_slice(found)
        .ok()
        .filter(is_described)
        .unwrap_or_else(|| describe(manifest));
    if let Some(resources) = descriptor.get_mut("resources").and_then(Value::as_array_mut) {
        for table in Table::DERIVED {
            resources.retain(|resource| resource["path"] != table.file);
            if table.file != CLAIMS.file || manifest.claims.is_some() {
                resources.push(self::resource(table));
            }
        }
    }
    format!("{descriptor:#}\n")
}

fn resource(table: &Table) -> Value {
    json!({
        "name": table.file.trim_end_matches(".csv"),
        "path": table.file,
        "description": table.row,
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": {"delimiter": ",", "quoteChar": "\"", "doubleQuote": true, "header": true},
        "schema": schema(table),
    })
}

fn schema(table: &Table) -> Value {
    let fields: Vec<Value> = table.columns.iter().map(field).collect();
    json!({"fields": fields, "primaryKey": table.key, "missingValues": [""]})
}

fn field(column: &Column) -> Value {
    let mut constraints = Map::new();
    if column.presence == Presence::Always {
        constraints.insert("required".to_owned(), json!(true));
    }
    let kind = match column.kind {
        Kind::Text => "string",
        Kind::Word(words) => {
            constraints.insert("enum".to_owned(), json!(words));
            "string"
        }
        Kind::Integer | Kind::Number => {
            constraints.insert("minimum".to_owned(), json!(0));
            if column.kind == Kind::Integer { "integer" } else { "number" }
        }
        Kind::Signed => "number",
        Kind::Utc => "datetime",
    };
    let mut field = json!({
        "name": column.name,
        "type": kind,
        "description": column.meaning,
        "constraints": constraints,
    });
    if let Some(unit) = column.unit() {
        field["unit"] = json!(unit);
    }
    field
}
