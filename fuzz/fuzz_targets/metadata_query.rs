//! Requests for the documents of the metadata service: the path on the first line, the query on the second, and behind
//! them the body of an approval.
#![no_main]

use contract::imds::{
    AttestedRequest, EventsRequest, Instance, InstanceRequest, LoadBalancerRequest, NoElement, StartRequests,
};
use libfuzzer_sys::fuzz_target;
use symbolon_fuzz::accepted;

fuzz_target!(|text: &str| {
    let mut parts = text.splitn(3, '\n');
    let (path, query) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let body = parts.next().unwrap_or_default();
    if let Ok(request) = InstanceRequest::parse(query) {
        let mut instance = Instance { interfaces: vec![Default::default()], ..Instance::default() };
        instance.compute.name = "vm".to_owned();
        match instance.render(&request, InstanceRequest::filter(path)) {
            Ok(answer) => {
                accepted();
                let json = request.format == contract::imds::Format::Json;
                assert!(!json || serde_json::from_str::<serde_json::Value>(&answer).is_ok_and(|value| !value.is_string()));
            }
            Err(NoElement::Leaf) => assert_eq!(request.format, contract::imds::Format::Json),
            Err(NoElement::Missing) => assert!(InstanceRequest::filter(path).next().is_some()),
        }
    }
    if let Ok(request) = AttestedRequest::parse(query) {
        let nonce = request.nonce.as_ref().map(|nonce| nonce.as_str());
        assert!(nonce.is_none_or(|nonce| (1..=32).contains(&nonce.len()) && nonce.is_ascii()));
    }
    let _ = (EventsRequest::parse(query), LoadBalancerRequest::parse(query));
    if let Ok(StartRequests { event_ids }) = StartRequests::parse(body.as_bytes()) {
        assert!((1..=64).contains(&event_ids.len()));
    }
});
