//! The host's metadata service: attachments, gate, token plane, limits for each VM.
