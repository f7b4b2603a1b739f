//! `/devicelogin`: the page on which a person enters a user code and signs in. Its forms send `user_code`, then also
//! `action` with `account` and `secret`.
//!
//! It holds no script and no cookie: whoever sends the form brings everything that counts. The public source of the flow
//! is RFC 8628, section 3.3; section 5.4 asks that the page says which program is about to be let in.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::aadsts::Aadsts;
use crate::token_endpoint::{self, optional, required};

/// Where it stands below the authority.
pub const PATH: &str = "/devicelogin";

/// What the browser may do with the page: show it and send its form here. Nobody may frame it.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; \
    style-src 'sha256-6b15+29V27e50ztX79UtBLnIPIoiDOxgO4XOJPjbSm8='; \
    form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The only style there is; the policy knows its hash.
pub const STYLE: &str = "body{font:1rem/1.5 sans-serif;max-width:30rem;margin:4rem auto;padding:0 1rem}\
                         label{display:block;margin:1rem 0}input{display:block;width:100%;font:inherit;padding:.4rem;\
                         box-sizing:border-box}button{font:inherit;padding:.4rem 1rem;margin-right:.5rem}\
                         .error{color:#a00}";

/// What a form of the page says.
#[derive(Clone, PartialEq, Eq)]
pub enum LoginForm<'f> {
    /// Which program is it?
    Look {
        /// The code as it was typed.
        user_code: Cow<'f, str>,
    },
    /// Let it in, as this account.
    Approve {
        /// The code as it was typed.
        user_code: Cow<'f, str>,
        /// The account's name or client id.
        account: Cow<'f, str>,
        /// Its secret.
        secret: Cow<'f, str>,
    },
    /// Don't.
    Decline {
        /// The code as it was typed.
        user_code: Cow<'f, str>,
    },
}

impl<'f> LoginForm<'f> {
    /// Reads a form.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(form: &'f [u8]) -> Result<Self, Aadsts> {
        let parameters = token_endpoint::parameters(form)?;
        let user_code = required(&parameters, "user_code")?;
        match optional(&parameters, "action").as_deref() {
            None => Ok(Self::Look { user_code }),
            Some("decline") => Ok(Self::Decline { user_code }),
            Some("approve") => Ok(Self::Approve {
                user_code,
                account: required(&parameters, "account")?,
                secret: required(&parameters, "secret")?,
            }),
            Some(_) => Err(Aadsts::MalformedRequest { reason: "its action is neither approve nor decline".to_owned() }),
        }
    }
}

/// What the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page<'p> {
    /// A place for the code.
    EnterCode {
        /// What was wrong with the one before.
        error: Option<&'p str>,
    },
    /// Who wants in, and a place for the account.
    SignIn {
        /// The code, which goes with the form.
        user_code: &'p str,
        /// The program's name.
        client: &'p str,
        /// What its token will be for.
        resource: &'p str,
        /// What was wrong with the account before.
        error: Option<&'p str>,
    },
    /// It is in.
    Approved {
        /// The program's name.
        client: &'p str,
        /// The account.
        account: &'p str,
    },
    /// It isn't.
    Declined,
}

impl Page<'_> {
    /// The document.
    #[must_use]
    pub fn html(&self) -> String {
        let mut html = format!(
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
             <title>Sign in to a program</title><style>{STYLE}</style><h1>Sign in to a program</h1>"
        );
        match self {
            Self::EnterCode { error } => {
                push_error(&mut html, *error);
                html.push_str(
                    "<p>Enter the code that the program shows. Go on only if you started it yourself.\
                     <form method=post action=/devicelogin><label>Code <input name=user_code autocomplete=off \
                     autofocus required></label><button>Next</button></form>",
                );
            }
            Self::SignIn { user_code, client, resource, error } => {
                push_error(&mut html, *error);
                let (user_code, client, resource) = (escape(user_code), escape(client), escape(resource));
                // What can't fail on a String needn't be looked at.
                let _ = write!(
                    html,
                    "<p><b>{client}</b> wants to act as you at <b>{resource}</b>. Its code is {user_code}.\
                     <form method=post action=/devicelogin><input type=hidden name=user_code value=\"{user_code}\">\
                     <label>Account: an application's name or client id <input name=account autocomplete=username \
                     autofocus required></label><label>Its secret <input name=secret type=password \
                     autocomplete=current-password required></label>\
                     <button name=action value=approve>Sign in</button>\
                     <button name=action value=decline formnovalidate>Decline</button></form>"
                );
            }
            Self::Approved { client, account } => {
                let (client, account) = (escape(client), escape(account));
                let _ = write!(html, "<p><b>{client}</b> is signed in as <b>{account}</b>. You may close this page.");
            }
            Self::Declined => html.push_str("<p>The program was not let in. You may close this page."),
        }
        html.push_str("</html>");
        html
    }
}

fn push_error(html: &mut String, error: Option<&str>) {
    if let Some(error) = error {
        let _ = write!(html, "<p class=error role=alert>{}", escape(error));
    }
}

/// Text that can stand between tags and in quoted attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for one in text.chars() {
        match one {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(one),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_button_is_read() {
        let parse = |form: &'static str| LoginForm::parse(form.as_bytes());
        assert!(parse("user_code=a") == Ok(LoginForm::Look { user_code: "a".into() }));
        assert!(
            parse("user_code=a&action=decline&account=&secret=") == Ok(LoginForm::Decline { user_code: "a".into() })
        );
        let approve = LoginForm::Approve { user_code: "a".into(), account: "b".into(), secret: "c d".into() };
        assert!(parse("user_code=a&account=b&secret=c+d&action=approve") == Ok(approve));
        for (form, name) in [("", "user_code"), ("user_code=", "user_code"), ("user_code=a&action=approve", "account")]
        {
            assert!(parse(form) == Err(Aadsts::MissingParameter { name }), "{form}");
        }
        assert!(parse("user_code=a&account=b&action=approve") == Err(Aadsts::MissingParameter { name: "secret" }));
        assert!(matches!(parse("user_code=a&action=x"), Err(Aadsts::MalformedRequest { .. })));
        assert!(matches!(parse("user_code=a&user_code=b"), Err(Aadsts::MalformedRequest { .. })));
    }

    #[test]
    fn what_others_named_is_text_and_no_markup() {
        let evil = "<script>\"'&";
        let text = "&lt;script&gt;&quot;&#39;&amp;";
        for page in [
            Page::EnterCode { error: Some(evil) },
            Page::SignIn { user_code: evil, client: evil, resource: evil, error: Some(evil) },
            Page::Approved { client: evil, account: evil },
        ] {
            let html = page.html();
            assert!(html.contains(text) && !html.contains("<script"), "{html}");
        }
    }
}
