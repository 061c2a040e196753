//! The leader election by a Lease object: acquires, renews and releases it.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::PostParams;
use kube::{Api, Client};

use crate::cluster::lease::{
    Candidate, ClockReading, HolderStatus, LEASE_DURATION, Leadership, LeaseAction, LeaseHolder, LeaseName,
    LeaseObserver, LeaseRecord, RENEW_DEADLINE, RETRY_PERIOD, SharedFence,
};

/// The annotation with the holder's status.
const STATUS_ANNOTATION: &str = "pintle.dev/run";

/// The time limit of a renewal. It must leave time for another attempt.
const RENEW_TIMEOUT: Duration = Duration::from_secs(4);

/// One candidate of an election.
pub(super) struct LeaseElector {
    api: Api<Lease>,
    name: String,
    description: String,
    identity: String,
    fence: SharedFence,
    watcher: LeaseObserver,
    /// The Lease as last written, while this process holds it.
    held: Option<Lease>,
}

impl LeaseElector {
    pub(super) fn new(client: Client, name: &LeaseName, identity: String, fence: SharedFence) -> Self {
        let api = Api::namespaced(client, &name.namespace);
        let (object, description) =
            (object_name(name), format!("the Lease {} in namespace {}", object_name(name), name.namespace));
        Self { api, name: object, description, identity, fence, watcher: LeaseObserver::default(), held: None }
    }

    /// Takes part until stopped, then releases the lease.
    pub(super) async fn run(mut self, mut candidate: Candidate) {
        loop {
            let now = ClockReading::now();
            let answer = tokio::time::timeout(RENEW_TIMEOUT, self.try_acquire_or_renew(now, &candidate)).await;
            let silent = |_| Err(format!("{}: no answer within {RENEW_TIMEOUT:?}", self.description));
            let leadership = match answer.unwrap_or_else(silent) {
                Ok(leadership) => leadership,
                // After a failed renewal, this process stays leader while nobody else can have taken the lease.
                Err(_) if self.held.is_some() && self.fence.remaining(ClockReading::now()).is_some() => {
                    Leadership::Ours
                }
                Err(why) => self.give_up(Leadership::Unknown(Some(why))),
            };
            candidate.leadership.send_if_modified(|told| {
                let news = *told != leadership;
                *told = leadership;
                news
            });
            let stopped = tokio::time::timeout(RETRY_PERIOD, candidate.stop.wait_for(|stop| *stop));
            if stopped.await.is_ok() {
                break;
            }
        }
        self.release().await;
    }

    async fn try_acquire_or_renew(&mut self, now: ClockReading, candidate: &Candidate) -> Result<Leadership, String> {
        let says = candidate.status.borrow().clone();
        if let Some(held) = self.held.clone() {
            match self.write(&held, says.as_ref(), now).await {
                Ok(leadership) => return Ok(leadership),
                Err(kube::Error::Api(status)) if status.code == 409 || status.code == 404 => self.held = None,
                Err(error) => return Err(self.words(&error)),
            }
        }
        let found = self.api.get_opt(&self.name).await.map_err(|error| self.words(&error))?;
        let read = found.as_ref().map(read);
        match (self.watcher.next_action(read.as_ref(), &self.identity, now), found) {
            (LeaseAction::Wait, _) => {
                let holder = read.and_then(|read| read.holder).unwrap_or_default();
                Ok(self.give_up(Leadership::Theirs(holder)))
            }
            (LeaseAction::Take | LeaseAction::Renew, found) => {
                match self.write(&found.unwrap_or_else(|| self.new_lease()), says.as_ref(), now).await {
                    Ok(leadership) => Ok(leadership),
                    // Another candidate was faster.
                    Err(kube::Error::Api(status)) if status.code == 409 => Ok(self.give_up(Leadership::Unknown(None))),
                    Err(error) => Err(self.words(&error)),
                }
            }
        }
    }

    /// Acquires or renews the lease, fenced by the version `before`.
    async fn write(
        &mut self,
        before: &Lease,
        says: Option<&HolderStatus>,
        now: ClockReading,
    ) -> kube::Result<Leadership> {
        let mut lease = before.clone();
        let spec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_deref() != Some(self.identity.as_str()) {
            spec.holder_identity = Some(self.identity.clone());
            spec.acquire_time = Some(MicroTime(now.wall));
            spec.lease_transitions = Some(spec.lease_transitions.unwrap_or(0).saturating_add(1));
        }
        spec.lease_duration_seconds = i32::try_from(LEASE_DURATION.as_secs()).ok();
        spec.renew_time = Some(MicroTime(now.wall));
        let annotations = lease.metadata.annotations.get_or_insert_default();
        annotations.remove(STATUS_ANNOTATION);
        annotations.extend(says.map(|says| (STATUS_ANNOTATION.to_owned(), serde_json::json!(says).to_string())));
        let written = if lease.metadata.resource_version.is_some() {
            self.api.replace(&self.name, &PostParams::default(), &lease).await?
        } else {
            self.api.create(&PostParams::default(), &lease).await?
        };
        self.held = Some(written);
        self.fence.record_renewal(now);
        Ok(Leadership::Ours)
    }

    fn new_lease(&self) -> Lease {
        let mut lease = Lease { spec: Some(LeaseSpec::default()), ..Lease::default() };
        lease.metadata.name = Some(self.name.clone());
        lease
    }

    fn give_up(&mut self, leadership: Leadership) -> Leadership {
        self.held = None;
        self.fence.close();
        leadership
    }

    /// Releases the lease, so that the next holder need not wait. If that fails, the next holder waits until it
    /// expires.
    async fn release(mut self) {
        self.fence.close();
        let Some(mut lease) = self.held.take() else { return };
        let spec = lease.spec.get_or_insert_default();
        (spec.holder_identity, spec.renew_time) = (None, Some(MicroTime(ClockReading::now().wall)));
        lease.metadata.annotations.get_or_insert_default().remove(STATUS_ANNOTATION);
        let params = PostParams::default();
        let released =
            tokio::time::timeout(RENEW_TIMEOUT.min(RENEW_DEADLINE), self.api.replace(&self.name, &params, &lease));
        if !matches!(released.await, Ok(Ok(_))) {
            tracing::info!("{} was not let go: the next one waits for {LEASE_DURATION:?}", self.description);
        }
    }

    fn words(&self, error: &kube::Error) -> String {
        match error {
            kube::Error::Api(status) => format!("{}: {}", self.description, status.message),
            error => format!("{}: {error}", self.description),
        }
    }
}

/// Returns the holder of the lease, if there is one.
pub(super) async fn lease_holder(client: Client, name: &LeaseName) -> kube::Result<Option<LeaseHolder>> {
    let api: Api<Lease> = Api::namespaced(client, &name.namespace);
    let Some(lease) = api.get_opt(&object_name(name)).await? else { return Ok(None) };
    let Some(holder) = read(&lease).holder else { return Ok(None) };
    let says =
        lease.metadata.annotations.as_ref().and_then(|all| serde_json::from_str(all.get(STATUS_ANNOTATION)?).ok());
    let renewed: Option<Timestamp> = lease.spec.and_then(|spec| spec.renew_time).map(|time| time.0);
    Ok(Some(LeaseHolder { holder, renewed, status: says }))
}

fn object_name(name: &LeaseName) -> String {
    format!("pintle-{}", name.instance)
}

fn read(lease: &Lease) -> LeaseRecord {
    let spec = lease.spec.clone().unwrap_or_default();
    let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    LeaseRecord {
        holder: spec.holder_identity.filter(|holder| !holder.is_empty()),
        duration: seconds.map_or(LEASE_DURATION, Duration::from_secs),
        version: lease.metadata.resource_version.clone().unwrap_or_default(),
    }
}
