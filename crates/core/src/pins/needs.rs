//! Reads `dependsOn`: a list of names, a map of ranges, or a map of tables of ranges.

use std::sync::Arc;

use super::reader::{FileReader, NamedField};
use super::yaml::ScalarMeaning;
use super::{DependsOn, Need, NeedPlaces, ServiceName};
use crate::printable::show;
use crate::problem::FilePlace;
use crate::version::VersionRange;

/// The needs that a service file declares.
#[derive(Debug, Clone, Default)]
pub(super) struct DeclaredNeeds {
    pub(super) depends_on: Arc<DependsOn>,
    pub(super) places: Vec<(ServiceName, NeedPlaces)>,
}

pub(super) fn read_needs(reader: &mut FileReader<'_>, field: &NamedField<'_>, consumer: &ServiceName) -> DeclaredNeeds {
    let mut needs = DeclaredNeeds::default();
    let mut of = DependsOn::new();
    if let Some(items) = field.value.items() {
        for item in items.map(|item| field.item(item)) {
            if item.value.entries().is_some() {
                let hint = "write a map without `- `, as in `dependsOn: {payments: \">=2.1\"}`";
                reader.report_error(item.value_span(), "a list of `dependsOn` holds names only, this is a map", hint);
                continue;
            }
            let Some(provider) = reader.name(&item).filter(|name| is_other(reader, item.value_span(), name, consumer))
            else {
                continue;
            };
            if of.insert(provider.clone(), Need::Range(VersionRange::any())).is_some() {
                reader.report_warning(
                    item.value_span(),
                    format!("`{provider}` stands twice in `dependsOn`"),
                    "remove one of them",
                );
            }
            needs.places.push((provider, NeedPlaces { provider: reader.place(item.value_span()), ranges: Vec::new() }));
        }
    } else if let Some(entries) = map(reader, field) {
        for entry in entries.iter() {
            let name = reader.name_from(entry.name, entry.key.clone());
            let Some(provider) = name.filter(|name| is_other(reader, entry.key.clone(), name, consumer)) else {
                continue;
            };
            let mut at = NeedPlaces { provider: reader.place(entry.key.clone()), ranges: Vec::new() };
            if let Some(need) = need(reader, entry, &mut at.ranges) {
                of.insert(provider.clone(), need);
            }
            needs.places.push((provider, at));
        }
    }
    needs.depends_on = Arc::new(of);
    needs
}

fn map<'t>(reader: &mut FileReader<'_>, field: &NamedField<'t>) -> Option<super::reader::MapFields<'t>> {
    if field.value.scalar().is_some() {
        let message = format!("`dependsOn` is {}, it must be a list of services or a map", field.value.kind());
        reader.report_error(
            field.value_span(),
            message,
            "write `dependsOn: [payments]`, or `dependsOn: {payments: \">=2.1\"}`",
        );
        return None;
    }
    reader.named(field.value, "`dependsOn`")
}

fn is_other(
    reader: &mut FileReader<'_>,
    at: std::ops::Range<usize>,
    provider: &ServiceName,
    consumer: &ServiceName,
) -> bool {
    if provider == consumer {
        reader.report_error(at, format!("`{consumer}` cannot depend on itself"), "remove it");
    }
    provider != consumer
}

/// Reads the need of one provider: `">=2.1"`, or `{"1.0": "*", "1.8": "^1.4"}`.
fn need(reader: &mut FileReader<'_>, entry: &NamedField<'_>, ranges_at: &mut Vec<FilePlace>) -> Option<Need> {
    if entry.value.entries().is_none() {
        if entry.value.is_null() {
            reader.report_error(
                entry.value_span(),
                format!("nothing says which versions of `{}`", entry.name),
                "write \"*\" for any",
            );
            return None;
        }
        ranges_at.push(reader.place(entry.value_span()));
        return reader.range(entry).map(Need::Range);
    }
    let what = format!("the table of `{}`", entry.name);
    let rows = reader.named(entry.value, &what)?;
    let mut table = Vec::new();
    for row in rows.iter() {
        let version = row_version(reader, row);
        table.extend(version.zip(reader.range(row)));
        ranges_at.push(reader.place(row.value_span()));
    }
    if rows.iter().next().is_none() {
        reader.report_error(entry.value_span(), format!("{what} is empty"), "write it as in {\"1.8\": \"^1.4\"}");
    }
    Some(Need::Table(table))
}

/// Reads the key of a row as a version. It must be quoted if YAML would read it as a number.
fn row_version(reader: &mut FileReader<'_>, row: &NamedField<'_>) -> Option<crate::version::Version> {
    if row.plain && super::yaml::scalar_meaning(row.name) != ScalarMeaning::Text {
        let message = format!("`{}` is a number to YAML, not text", show(row.name));
        reader.report_error(row.key.clone(), message, format!("quote it: \"{}\"", row.name));
        return None;
    }
    reader.version_from(row.name, row.key.clone())
}
