//! External issuers.

use std::path::PathBuf;

use domain::{ExternalIssuer, JwksSource};

use super::query::Source;
use super::row::Row;
use super::transaction::Writing;
use crate::{Error, ExternalIssuerReader, ExternalIssuerWriter, Noun, Op, Put};

impl<S: Source> ExternalIssuerReader for S {
    fn external_issuer(&self, url: &str) -> Result<Option<ExternalIssuer>, Error> {
        self.reader().one("SELECT url, source, jwks FROM external_issuer WHERE url = ?1", [url], read)
    }

    fn external_issuers(&self) -> Result<Vec<ExternalIssuer>, Error> {
        self.reader().many("SELECT url, source, jwks FROM external_issuer ORDER BY url", [], read)
    }
}

impl ExternalIssuerWriter for Writing<'_> {
    fn put_external_issuer(&mut self, issuer: &ExternalIssuer) -> Result<Put, Error> {
        self.attempt(|tx| {
            let before = tx.external_issuer(&issuer.url)?;
            if before.as_ref() == Some(issuer) {
                return Ok(Put::Unchanged);
            }
            let (source, jwks) = match &issuer.jwks {
                JwksSource::Inline(document) => ("inline", document.as_str()),
                JwksSource::File(path) => ("file", utf8(issuer, path)?),
                JwksSource::Url(url) => ("url", url.as_str()),
            };
            let sql = "INSERT INTO external_issuer (url, source, jwks) VALUES (?1, ?2, ?3) \
                       ON CONFLICT (url) DO UPDATE SET source = excluded.source, jwks = excluded.jwks";
            tx.change_one(Noun::ExternalIssuer, &issuer.url, Op::Put, sql, [&issuer.url, source, jwks])?;
            Ok(if before.is_some() { Put::Updated } else { Put::Created })
        })
    }

    fn remove_external_issuer(&mut self, url: &str) -> Result<bool, Error> {
        self.attempt(|tx| {
            let sql = "DELETE FROM external_issuer WHERE url = ?1";
            Ok(tx.change(Noun::ExternalIssuer, url, Op::Removed, sql, [url])? > 0)
        })
    }
}

fn utf8<'p>(issuer: &ExternalIssuer, path: &'p std::path::Path) -> Result<&'p str, Error> {
    let why = "the path of its keys is not UTF-8";
    path.to_str().ok_or_else(|| Error::Contradiction { noun: Noun::ExternalIssuer, key: issuer.url.clone(), why })
}

fn read(row: &rusqlite::Row<'_>) -> Result<ExternalIssuer, Error> {
    let row = Row::new(row, "external_issuer", "url");
    let jwks: String = row.get("jwks")?;
    let jwks = match row.get::<String>("source")?.as_str() {
        "inline" => JwksSource::Inline(jwks),
        "file" => JwksSource::File(PathBuf::from(jwks)),
        "url" => JwksSource::Url(jwks),
        other => return Err(row.bad(format!("unknown source '{other}'"))),
    };
    Ok(ExternalIssuer { url: row.get("url")?, jwks })
}
