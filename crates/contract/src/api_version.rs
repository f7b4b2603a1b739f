//! The dated versions of the metadata service's interface.
//!
//! All of them stay callable (MicrosoftDocs/azure-compute-docs `instance-metadata-service.md`).

/// A version; a later one compares greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each name is its date")]
pub enum ApiVersion {
    V20170301,
    V20170402,
    V20170801,
    V20171001,
    V20171201,
    V20180201,
    V20180402,
    V20181001,
    V20190201,
    V20190311,
    V20190430,
    V20190601,
    V20190604,
    V20190801,
    V20190815,
    V20191101,
    V20200601,
    V20200715,
    V20200901,
    V20201001,
    V20201201,
    V20210101,
    V20210201,
    V20210301,
    V20210501,
    V20210801,
    V20211001,
    V20211101,
    V20211115,
    V20211213,
    V20230701,
    V20231115,
    V20240315,
    V20240717,
    V20250407,
}

impl ApiVersion {
    /// Every version, the oldest first.
    pub const ALL: [Self; 35] = [
        Self::V20170301,
        Self::V20170402,
        Self::V20170801,
        Self::V20171001,
        Self::V20171201,
        Self::V20180201,
        Self::V20180402,
        Self::V20181001,
        Self::V20190201,
        Self::V20190311,
        Self::V20190430,
        Self::V20190601,
        Self::V20190604,
        Self::V20190801,
        Self::V20190815,
        Self::V20191101,
        Self::V20200601,
        Self::V20200715,
        Self::V20200901,
        Self::V20201001,
        Self::V20201201,
        Self::V20210101,
        Self::V20210201,
        Self::V20210301,
        Self::V20210501,
        Self::V20210801,
        Self::V20211001,
        Self::V20211101,
        Self::V20211115,
        Self::V20211213,
        Self::V20230701,
        Self::V20231115,
        Self::V20240315,
        Self::V20240717,
        Self::V20250407,
    ];

    /// The first version there is.
    pub const OLDEST: Self = Self::V20170301;
    /// The last one.
    pub const NEWEST: Self = Self::V20250407;
    /// The first version with the category `identity`.
    pub const FIRST_WITH_IDENTITY: Self = Self::V20180201;
    /// The first version with the category `attested`.
    pub const FIRST_WITH_ATTESTED: Self = Self::V20181001;
    /// The first version with the category `loadbalancer`.
    pub const FIRST_WITH_LOAD_BALANCER: Self = Self::V20201001;

    /// The version of a date, exactly as it is written.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.as_str() == text)
    }

    /// Its date.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V20170301 => "2017-03-01",
            Self::V20170402 => "2017-04-02",
            Self::V20170801 => "2017-08-01",
            Self::V20171001 => "2017-10-01",
            Self::V20171201 => "2017-12-01",
            Self::V20180201 => "2018-02-01",
            Self::V20180402 => "2018-04-02",
            Self::V20181001 => "2018-10-01",
            Self::V20190201 => "2019-02-01",
            Self::V20190311 => "2019-03-11",
            Self::V20190430 => "2019-04-30",
            Self::V20190601 => "2019-06-01",
            Self::V20190604 => "2019-06-04",
            Self::V20190801 => "2019-08-01",
            Self::V20190815 => "2019-08-15",
            Self::V20191101 => "2019-11-01",
            Self::V20200601 => "2020-06-01",
            Self::V20200715 => "2020-07-15",
            Self::V20200901 => "2020-09-01",
            Self::V20201001 => "2020-10-01",
            Self::V20201201 => "2020-12-01",
            Self::V20210101 => "2021-01-01",
            Self::V20210201 => "2021-02-01",
            Self::V20210301 => "2021-03-01",
            Self::V20210501 => "2021-05-01",
            Self::V20210801 => "2021-08-01",
            Self::V20211001 => "2021-10-01",
            Self::V20211101 => "2021-11-01",
            Self::V20211115 => "2021-11-15",
            Self::V20211213 => "2021-12-13",
            Self::V20230701 => "2023-07-01",
            Self::V20231115 => "2023-11-15",
            Self::V20240315 => "2024-03-15",
            Self::V20240717 => "2024-07-17",
            Self::V20250407 => "2025-04-07",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_order_and_read_back() {
        assert!(ApiVersion::ALL.is_sorted());
        assert_eq!(ApiVersion::ALL.first(), Some(&ApiVersion::OLDEST));
        assert_eq!(ApiVersion::ALL.last(), Some(&ApiVersion::NEWEST));
        assert!(ApiVersion::ALL.map(ApiVersion::as_str).is_sorted());
        for version in ApiVersion::ALL {
            assert_eq!(ApiVersion::parse(version.as_str()), Some(version));
        }
        for unknown in ["", "2018-02-02", "2018-02-01 ", "2018-2-1", "latest"] {
            assert_eq!(ApiVersion::parse(unknown), None);
        }
    }
}
