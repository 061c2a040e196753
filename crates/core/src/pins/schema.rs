//! The JSON Schemas of both kinds of pin file, for editors.

/// Returns the schema of `pintle.yaml`.
pub fn settings_schema() -> &'static str {
    include_str!("schema/pintle.json")
}

/// Returns the schema of `services/NAME.yaml`.
pub fn service_schema() -> &'static str {
    include_str!("schema/service.json")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::super::reader::KnownKeys;
    use super::super::{local, service, settings};
    use super::*;

    /// Asserts that the schema allows the same keys as the reader, in the map at a JSON pointer.
    fn agrees(schema: &str, pointer: &str, keys: &KnownKeys) {
        let schema: Value = serde_json::from_str(schema).unwrap();
        let map = schema.pointer(pointer).unwrap();
        let published: BTreeSet<_> = map["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(published, keys.known.iter().copied().collect(), "{pointer}");
        assert_eq!(map["additionalProperties"], false, "{pointer}");
    }

    #[test]
    fn the_schemas_have_the_keys_that_are_read() {
        agrees(settings_schema(), "", &settings::SETTINGS_KEYS);
        agrees(settings_schema(), "/$defs/drift", &settings::DRIFT_KEYS);
        agrees(settings_schema(), "/properties/pins/items", &settings::PATTERN_KEYS);
        agrees(service_schema(), "", &service::SERVICE_KEYS);
        agrees(service_schema(), "/properties/pin", &settings::PIN_KEYS);
        agrees(service_schema(), "/properties/verify", &service::VERIFY_KEYS);
        agrees(service_schema(), "/properties/hold", &service::HOLD_KEYS);
        agrees(service_schema(), "/properties/drift", &settings::DRIFT_KEYS);
        agrees(service_schema(), "/properties/local", &local::LOCAL_KEYS);
        agrees(service_schema(), "/properties/local/properties/health/oneOf/0", &local::HEALTH_KEYS);
    }

    #[test]
    fn the_schema_names_the_version_that_is_read() {
        let schema: Value = serde_json::from_str(settings_schema()).unwrap();
        assert_eq!(schema["properties"]["apiVersion"]["const"], settings::API_VERSION);
    }
}
