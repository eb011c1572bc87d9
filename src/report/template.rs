//! Pages from templates: everything that comes from a view is escaped, and tables look alike.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, context};
use serde::Serialize;

/// Macros that templates import by this name.
const TABLES: (&str, &str) = ("tables.html", include_str!("tables.html"));

/// The template with `view` filled in. The name stands in messages.
///
/// # Panics
///
/// If the template asks for what its view does not have, which a test of each page excludes.
pub(super) fn render(name: &str, template: &str, view: &impl Serialize) -> String {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("the delimiters are the usual ones"));
    let (tables, source) = TABLES;
    environment.add_template(tables, source).expect("macros are no matter of a view");
    environment
        .render_named_str(name, template, context! { view => Serde(view) })
        .expect("the template knows every field of the view; a test renders it")
}
