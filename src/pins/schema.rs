//! The JSON Schemas of both kinds of file, for editors.

/// The schema of `pintle.yaml`.
pub fn settings_schema() -> &'static str {
    include_str!("schema/pintle.json")
}

/// The schema of `services/NAME.yaml`.
pub fn service_schema() -> &'static str {
    include_str!("schema/service.json")
}
