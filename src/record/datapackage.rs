//! `datapackage.json`: the CSV files described for programs, in the form of Frictionless Data.

use serde_json::{Value, json};

use super::columns::{
    CALIBRATION, CLAIMS, Column, FACTS, Kind, MEMORY, NOISE, PLAN, Presence, REQUESTS, TRIALS,
    Table,
};
use super::{Manifest, name};

/// The descriptor of a run. Requests are described apart from `resources`: they are many files of
/// one kind, and the specification has no word for their compression.
pub fn describe(manifest: &Manifest) -> Value {
    let resources = [&PLAN, &TRIALS, &NOISE, &CALIBRATION, &MEMORY, &FACTS].map(resource);
    json!({
        "name": name::plain(&manifest.run_id, "run").to_lowercase(),
        "title": manifest.question,
        "version": manifest.schema_version.to_string(),
        "created": manifest.started_utc,
        "resources": resources,
        "requests": {
            "path_pattern": REQUESTS.file,
            "compression": "zstd",
            "description": REQUESTS.row,
            "schema": schema(&REQUESTS),
        },
    })
}

/// The text of `datapackage.json` once there is a report: the derived tables after the raw ones,
/// whose descriptions stay. `found` is the present file; one that is not a descriptor is replaced.
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
    let kind = match column.kind {
        Kind::Text | Kind::Word(_) => "string",
        Kind::Integer => "integer",
        Kind::Number | Kind::Signed => "number",
        Kind::Utc => "datetime",
    };
    let mut constraints = json!({});
    if column.presence == Presence::Always {
        constraints["required"] = json!(true);
    }
    match column.kind {
        Kind::Word(words) => constraints["enum"] = json!(words),
        Kind::Integer | Kind::Number => constraints["minimum"] = json!(0),
        Kind::Text | Kind::Signed | Kind::Utc => {}
    }
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
