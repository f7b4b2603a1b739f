//! `/metadata/scheduledevents`: what is going to happen to a VM, and leave to let it happen at once.
//!
//! Public sources: MicrosoftDocs/azure-compute-docs `linux/scheduled-events.md` (versions, fields, approval) and
//! Azure-Samples/scheduled-events-mock-server.

use serde_json::Value;

use super::dates;
use crate::answer::push_json_string;
use crate::gate::Refusal;
use crate::query::Parameters;

/// The most events that one request may approve.
const MAX_APPROVED: usize = 64;

/// A version of the scheduled events, which have a list of their own; a later one compares greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each name is its date")]
pub enum EventsVersion {
    V20170301,
    V20170801,
    V20171101,
    V20190101,
    V20190401,
    V20190801,
    V20200701,
}

impl EventsVersion {
    /// Every version, the oldest first.
    pub const ALL: [Self; 7] = [
        Self::V20170301,
        Self::V20170801,
        Self::V20171101,
        Self::V20190101,
        Self::V20190401,
        Self::V20190801,
        Self::V20200701,
    ];

    /// Its date.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V20170301 => "2017-03-01",
            Self::V20170801 => "2017-08-01",
            Self::V20171101 => "2017-11-01",
            Self::V20190101 => "2019-01-01",
            Self::V20190401 => "2019-04-01",
            Self::V20190801 => "2019-08-01",
            Self::V20200701 => "2020-07-01",
        }
    }
}

/// A request for the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventsRequest {
    /// The version asked for.
    pub api_version: EventsVersion,
}

impl EventsRequest {
    /// Reads a raw query. Unknown parameters decide nothing.
    ///
    /// # Errors
    /// The first check that fails: twice, api-version.
    pub fn parse(query: &str) -> Result<Self, Refusal> {
        let parameters = Parameters::parse(query)?;
        let value = parameters.get("api-version").ok_or(Refusal::ApiVersionMissing)?;
        let api_version = EventsVersion::ALL.into_iter().find(|version| version.as_str() == value);
        let unknown = || Refusal::ApiVersionUnknown { value: value.to_string() };
        Ok(Self { api_version: api_version.ok_or_else(unknown)? })
    }
}

/// The events of a VM, with the number of the change that made them so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScheduledEvents {
    /// Counts the changes.
    pub incarnation: u64,
    /// The events, the first to come first.
    pub events: Vec<ScheduledEvent>,
}

/// An event of a VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledEvent {
    /// Its id.
    pub id: String,
    /// `Freeze`, `Reboot`, `Redeploy`, `Preempt` or `Terminate`.
    pub event_type: &'static str,
    /// The names of the VMs that it happens to.
    pub resources: Vec<String>,
    /// When it happens at the earliest, seconds since 1970; none once it has begun.
    pub not_before: Option<i64>,
    /// Why.
    pub description: String,
    /// Whether somebody asked for it, or the platform did.
    pub by_user: bool,
    /// How long it is to take, in seconds; `-1` when nobody knows.
    pub duration: i64,
}

impl ScheduledEvents {
    /// The body of an answer.
    #[must_use]
    pub fn render(&self, version: EventsVersion) -> Vec<u8> {
        let mut json = format!("{{\"DocumentIncarnation\":{},\"Events\":[", self.incarnation);
        for (number, event) in self.events.iter().filter(|event| event.is_known_to(version)).enumerate() {
            if number > 0 {
                json.push(',');
            }
            event.push_json(version, &mut json);
        }
        json.push_str("]}");
        json.into_bytes()
    }
}

impl ScheduledEvent {
    /// `Preempt` and `Terminate` came later than the others.
    fn is_known_to(&self, version: EventsVersion) -> bool {
        match self.event_type {
            "Preempt" => version >= EventsVersion::V20171101,
            "Terminate" => version >= EventsVersion::V20190101,
            _ => true,
        }
    }

    fn push_json(&self, version: EventsVersion, json: &mut String) {
        let status = if self.not_before.is_some() { "Scheduled" } else { "Started" };
        json.push_str("{\"EventId\":");
        push_json_string(json, &self.id);
        json.push_str(",\"EventStatus\":\"");
        json.push_str(status);
        json.push_str("\",\"EventType\":\"");
        json.push_str(self.event_type);
        json.push_str("\",\"ResourceType\":\"VirtualMachine\",\"Resources\":[");
        for (number, name) in self.resources.iter().enumerate() {
            if number > 0 {
                json.push(',');
            }
            // The first version had a line in front of each name.
            let before = if version == EventsVersion::V20170301 { "_" } else { "" };
            push_json_string(json, &format!("{before}{name}"));
        }
        json.push_str("],\"NotBefore\":");
        push_json_string(json, &self.not_before.map(dates::http_date).unwrap_or_default());
        if version >= EventsVersion::V20190401 {
            json.push_str(",\"Description\":");
            push_json_string(json, &self.description);
        }
        if version >= EventsVersion::V20190801 {
            json.push_str(if self.by_user { ",\"EventSource\":\"User\"" } else { ",\"EventSource\":\"Platform\"" });
        }
        if version >= EventsVersion::V20200701 {
            json.push_str(&format!(",\"DurationInSeconds\":{}", self.duration));
        }
        json.push('}');
    }
}

/// The body of an approval: the events that may begin at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartRequests {
    /// Their ids, as they were sent.
    pub event_ids: Vec<String>,
}

impl StartRequests {
    /// Reads a body. Unknown members decide nothing.
    ///
    /// # Errors
    /// When it isn't `{"StartRequests":[{"EventId":…},…]}` with at least one event.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let body: Value = serde_json::from_slice(body).map_err(|_| Refusal::StartRequests)?;
        let requests = body.get("StartRequests").and_then(Value::as_array).ok_or(Refusal::StartRequests)?;
        if !(1..=MAX_APPROVED).contains(&requests.len()) {
            return Err(Refusal::StartRequests);
        }
        let ids = requests.iter().map(|request| request.get("EventId")?.as_str().map(str::to_owned));
        let event_ids = ids.collect::<Option<Vec<_>>>().ok_or(Refusal::StartRequests)?;
        Ok(Self { event_ids })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_order_and_read_back() {
        assert!(EventsVersion::ALL.is_sorted() && EventsVersion::ALL.map(EventsVersion::as_str).is_sorted());
        for version in EventsVersion::ALL {
            let request = EventsRequest::parse(&format!("api-version={}", version.as_str()));
            assert_eq!(request, Ok(EventsRequest { api_version: version }));
        }
        assert_eq!(EventsRequest::parse(""), Err(Refusal::ApiVersionMissing));
        for unknown in ["latest", "2025-04-07", ""] {
            let refusal = Refusal::ApiVersionUnknown { value: unknown.to_owned() };
            assert_eq!(EventsRequest::parse(&format!("api-version={unknown}")), Err(refusal));
        }
    }

    #[test]
    fn approvals_name_events() {
        let read = |body: &str| StartRequests::parse(body.as_bytes()).map(|requests| requests.event_ids);
        assert_eq!(read(r#"{"StartRequests":[{"EventId":"a"},{"EventId":"b","x":1}],"y":2}"#).unwrap(), ["a", "b"]);
        let many = format!("{{\"StartRequests\":[{}]}}", vec![r#"{"EventId":"a"}"#; 65].join(","));
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"StartRequests":[]}"#,
            r#"{"StartRequests":[{"EventId":1}]}"#,
            r#"{"StartRequests":{}}"#,
            &many,
        ] {
            assert_eq!(read(bad), Err(Refusal::StartRequests), "{bad}");
        }
    }
}
