//! Reads `dependsOn`: a list of names, a map of ranges, or a map of tables of ranges.

use std::sync::Arc;

use super::reader::{Field, Reader};
use super::yaml::Meaning;
use super::{DependsOn, Need, NeedAt, ServiceName};
use crate::printable::show;
use crate::problem::Place;
use crate::version::Range;

/// The needs that a service file declares.
#[derive(Debug, Clone, Default)]
pub(super) struct Needs {
    pub(super) of: Arc<DependsOn>,
    pub(super) places: Vec<(ServiceName, NeedAt)>,
}

pub(super) fn read(reader: &mut Reader<'_>, field: &Field<'_>, consumer: &ServiceName) -> Needs {
    let mut needs = Needs::default();
    let mut of = DependsOn::new();
    if let Some(items) = field.value.items() {
        for item in items.map(|item| field.item(item)) {
            if item.value.entries().is_some() {
                let hint = "write a map without `- `, as in `dependsOn: {payments: \">=2.1\"}`";
                reader.refuse(item.at(), "a list of `dependsOn` holds names only, this is a map", hint);
                continue;
            }
            let Some(provider) = reader.name(&item).filter(|name| is_other(reader, item.at(), name, consumer)) else {
                continue;
            };
            if of.insert(provider.clone(), Need::Range(Range::any())).is_some() {
                reader.warn(item.at(), format!("`{provider}` stands twice in `dependsOn`"), "remove one of them");
            }
            needs.places.push((provider, NeedAt { provider: reader.place(item.at()), ranges: Vec::new() }));
        }
    } else if let Some(entries) = map(reader, field) {
        for entry in entries.iter() {
            let name = reader.name_from(entry.name, entry.key.clone());
            let Some(provider) = name.filter(|name| is_other(reader, entry.key.clone(), name, consumer)) else {
                continue;
            };
            let mut at = NeedAt { provider: reader.place(entry.key.clone()), ranges: Vec::new() };
            if let Some(need) = need(reader, entry, &mut at.ranges) {
                of.insert(provider.clone(), need);
            }
            needs.places.push((provider, at));
        }
    }
    needs.of = Arc::new(of);
    needs
}

fn map<'t>(reader: &mut Reader<'_>, field: &Field<'t>) -> Option<super::reader::Fields<'t>> {
    if field.value.scalar().is_some() {
        let message = format!("`dependsOn` is {}, it must be a list of services or a map", field.value.kind());
        reader.refuse(field.at(), message, "write `dependsOn: [payments]`, or `dependsOn: {payments: \">=2.1\"}`");
        return None;
    }
    reader.named(field.value, "`dependsOn`")
}

fn is_other(
    reader: &mut Reader<'_>,
    at: std::ops::Range<usize>,
    provider: &ServiceName,
    consumer: &ServiceName,
) -> bool {
    if provider == consumer {
        reader.refuse(at, format!("`{consumer}` cannot depend on itself"), "remove it");
    }
    provider != consumer
}

/// Reads the need of one provider: `">=2.1"`, or `{"1.0": "*", "1.8": "^1.4"}`.
fn need(reader: &mut Reader<'_>, entry: &Field<'_>, ranges_at: &mut Vec<Place>) -> Option<Need> {
    if entry.value.entries().is_none() {
        if entry.value.is_null() {
            reader.refuse(
                entry.at(),
                format!("nothing says which versions of `{}`", entry.name),
                "write \"*\" for any",
            );
            return None;
        }
        ranges_at.push(reader.place(entry.at()));
        return reader.range(entry).map(Need::Range);
    }
    let what = format!("the table of `{}`", entry.name);
    let rows = reader.named(entry.value, &what)?;
    let mut table = Vec::new();
    for row in rows.iter() {
        let version = row_version(reader, row);
        table.extend(version.zip(reader.range(row)));
        ranges_at.push(reader.place(row.at()));
    }
    if rows.iter().next().is_none() {
        reader.refuse(entry.at(), format!("{what} is empty"), "write it as in {\"1.8\": \"^1.4\"}");
    }
    Some(Need::Table(table))
}

/// Reads the key of a row as a version. It must be quoted if YAML would read it as a number.
fn row_version(reader: &mut Reader<'_>, row: &Field<'_>) -> Option<crate::version::Version> {
    if row.plain && super::yaml::meaning(row.name) != Meaning::Text {
        let message = format!("`{}` is a number to YAML, not text", show(row.name));
        reader.refuse(row.key.clone(), message, format!("quote it: \"{}\"", row.name));
        return None;
    }
    reader.version_from(row.name, row.key.clone())
}
