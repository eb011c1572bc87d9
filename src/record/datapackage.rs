//! `datapackage.json`: the CSV files described for programs, in the form of Frictionless Data.

use serde_json::{Map, Value, json};

use super::columns::{Column, Kind, NOISE, PLAN, Presence, REQUESTS, TRIALS, Table};
use super::{Manifest, name};

/// The descriptor of a run. Requests are described apart from `resources`: they are compressed in
/// a way that the specification has no word for, and many files of one kind.
pub(crate) fn describe(manifest: &Manifest) -> Value {
    json!({
        "name": name::plain(&manifest.run_id, "run").to_lowercase(),
        "title": manifest.question,
        "version": manifest.schema_version.to_string(),
        "created": manifest.started_utc,
        "resources": [resource(&PLAN), resource(&TRIALS), resource(&NOISE)],
        "requests": {
            "path_pattern": REQUESTS.file,
            "compression": "zstd",
            "description": REQUESTS.row,
            "schema": schema(&REQUESTS),
        },
    })
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
            if column.kind == Kind::Integer {
                "integer"
            } else {
                "number"
            }
        }
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
