//! What the agent reads of the WireServer's XML: which VM it is on, and the machine's certificates.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roxmltree::Document;

/// The longest document that is read.
const MAX: usize = 4 * 1024 * 1024;

/// What the goal state says besides extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireGoalState {
    /// Names the VM on its host; goes back as `x-ms-containerid`.
    pub container_id: String,
    /// Goes back as `x-ms-host-config-name`.
    pub config_name: String,
    /// Where the machine's certificates are; none when there are none.
    pub certificates: Option<String>,
}

/// A document that isn't one. It doesn't say what stands there.
#[derive(Debug, thiserror::Error)]
#[error("the host's {0} can't be read")]
pub struct InvalidDocument(&'static str);

impl WireGoalState {
    /// Reads `GET /machine/?comp=goalstate`.
    ///
    /// # Errors
    /// When it isn't a goal state.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidDocument> {
        let invalid = || InvalidDocument("goal state");
        let text = text(bytes).ok_or_else(invalid)?;
        let document = Document::parse(text).map_err(|_| invalid())?;
        Ok(Self {
            container_id: element(&document, "ContainerId").ok_or_else(invalid)?,
            config_name: element(&document, "ConfigName").unwrap_or_default(),
            certificates: element(&document, "Certificates"),
        })
    }
}

/// Reads a `CertificateFile`: a CMS envelope around a PFX.
///
/// # Errors
/// When it isn't one.
pub fn certificate_file(bytes: &[u8]) -> Result<Vec<u8>, InvalidDocument> {
    let invalid = || InvalidDocument("certificates");
    let text = text(bytes).ok_or_else(invalid)?;
    let document = Document::parse(text).map_err(|_| invalid())?;
    let data = element(&document, "Data").ok_or_else(invalid)?;
    // It is broken into lines for those who paste it into a mail.
    let data: String = data.split_whitespace().collect();
    STANDARD.decode(data).map_err(|_| invalid())
}

fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= MAX)?;
    Some(text.trim_start_matches('\u{feff}'))
}

fn element(document: &Document<'_>, name: &str) -> Option<String> {
    let found = document.descendants().find(|node| node.has_tag_name(name))?;
    Some(found.text()?.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use contract::guest_agent::GoalState;

    use super::*;

    fn goal_state(has_certificates: bool) -> GoalState {
        GoalState {
            incarnation: 7,
            etag: "e".to_owned(),
            ticks: 1,
            activity_id: "a".to_owned(),
            container_id: "container & co".to_owned(),
            deployment_id: "d".to_owned(),
            vm_name: "dev".to_owned(),
            vm_id: "v".to_owned(),
            subscription_id: "s".to_owned(),
            resource_group: "g".to_owned(),
            location: "l".to_owned(),
            vm_size: "z".to_owned(),
            extensions: Vec::new(),
            status_blob_url: "u".to_owned(),
            base_url: "http://h".to_owned(),
            has_certificates,
        }
    }

    #[test]
    fn what_hosts_write_is_read() {
        let goal = goal_state(true);
        let read = WireGoalState::parse(goal.xml().as_bytes()).unwrap();
        assert_eq!((read.container_id, read.config_name), (goal.container_id.clone(), goal.config_name()));
        assert!(read.certificates.unwrap().starts_with("http://h/machine/"));
        assert_eq!(WireGoalState::parse(goal_state(false).xml().as_bytes()).unwrap().certificates, None);
        let sealed = STANDARD.encode([7; 500]);
        assert_eq!(certificate_file(goal.certificates_xml(&sealed).as_bytes()).unwrap(), [7; 500]);
    }

    #[test]
    fn what_is_none_is_refused_and_entities_are_not_expanded() {
        let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><G><ContainerId>&b;</ContainerId></G>";
        for wrong in ["", "<", "<GoalState/>", "<G><ContainerId/></G>", "{}", bomb] {
            assert!(WireGoalState::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert!(certificate_file(b"<F><Data>not base64!</Data></F>").is_err());
        assert!(WireGoalState::parse(&[0xff, 0xfe]).is_err());
        assert!(WireGoalState::parse(&vec![b' '; MAX + 1]).is_err());
    }
}
