//! What the pins say the local runtime serves.

use std::collections::BTreeMap;

use pintle_core::desired::DesiredState;
use pintle_core::pins::Service;
use pintle_core::workload::WorkloadId;

use crate::cluster::local::LocalServiceSpec;

/// Returns what the local runtime serves for each workload of the pins.
pub fn local_services(desired: &DesiredState) -> BTreeMap<WorkloadId, LocalServiceSpec> {
    let services = desired.pins.services.values().filter(|service| !service.external);
    let served = services.flat_map(|service| {
        let served = local_service(desired, service);
        desired.workloads(service).into_iter().map(move |id| (id, served.clone()))
    });
    served.collect()
}

fn local_service(desired: &DesiredState, service: &Service) -> LocalServiceSpec {
    let pins = desired.history.records(&service.name).iter().rev().filter_map(|record| record.pin.as_deref());
    LocalServiceSpec {
        version: service.pin.version.clone(),
        image: service.pin.image.clone(),
        local: service.pin.local.clone(),
        timeout: service.pin.verify.timeout,
        past_pins: pins.map(|pin| (pin.version.clone(), pin.image.clone())).collect(),
    }
}
