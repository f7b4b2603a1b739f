//! Every byte that others see: requests, the gate, answers, api-versions, errors.
//!
//! Nothing here opens a socket, reads a clock or knows a framework. What arrives is judged in this order:
//! [`head`] judges the raw bytes of a request head, [`gate`] the request (path, method, `Host`, origin,
//! `X-Forwarded-For`, `Metadata`), then [`imds`] or [`extension`] read its parameters. Whatever refuses is a
//! variant of [`gate::Refusal`], and every refusal turns into an [`answer::Answer`].

pub mod aadsts;
pub mod answer;
pub mod api_version;
pub mod arm;
pub mod assertion;
pub mod claims;
pub mod device_code;
pub mod device_login;
pub mod extension;
pub mod gate;
pub mod guest_agent;
pub mod head;
pub mod headers;
pub mod imds;
pub mod jose;
pub mod oidc;
pub mod query;
pub mod scope;
pub mod selector;
pub mod token_endpoint;
pub mod user_token;
