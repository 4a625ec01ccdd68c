//! Points in time, to the millisecond.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A point in time in UTC, in whole milliseconds since 1970: finer parts are cut off when a time is stamped or parsed,
/// so that what is compared, stored and answered is the same value.
///
/// In JSON it is RFC 3339 with milliseconds, `2026-12-01T12:00:00.000Z`; other offsets are read and turned to UTC.
/// Years 1 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The last millisecond of the year 9999, beyond which RFC 3339 has no word.
const MAX_MILLIS: i64 = 253_402_300_799_999;
/// The first millisecond of the year 1.
const MIN_MILLIS: i64 = -62_135_596_800_000;

impl Timestamp {
    /// The start of 1970.
    pub const EPOCH: Timestamp = Timestamp(0);

    /// From milliseconds since 1970; what lies outside the years 1 to 9999 is moved to their edge.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        if millis > MAX_MILLIS {
            Self(MAX_MILLIS)
        } else if millis < MIN_MILLIS {
            Self(MIN_MILLIS)
        } else {
            Self(millis)
        }
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// This much later.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self::from_millis(
            self.0
                .saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// This much earlier.
    #[must_use]
    pub fn before(self, by: Duration) -> Self {
        Self::from_millis(
            self.0
                .saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// How long it is from `earlier` to this; zero where `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Timestamp {
    /// The text of [`Display`](fmt::Display), which is ASCII. By hand: every receipt has one, and formatting numbers with
    /// a width takes longer than all else in it.
    pub(crate) fn text(self) -> [u8; 24] {
        // The years 1 to 9999 are all there.
        let at = OffsetDateTime::from_unix_timestamp(self.0.div_euclid(1000))
            .unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let mut put = |from: usize, length: usize, mut number: u32| {
            for digit in text[from..from + length].iter_mut().rev() {
                *digit += (number % 10) as u8;
                number /= 10;
            }
        };
        put(0, 4, at.year().unsigned_abs());
        put(5, 2, u8::from(at.month()).into());
        put(8, 2, at.day().into());
        put(11, 2, at.hour().into());
        put(14, 2, at.minute().into());
        put(17, 2, at.second().into());
        put(20, 3, self.0.rem_euclid(1000) as u32);
        text
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is no RFC 3339 time between the years 1 and 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a time is written as RFC 3339 with its offset, like 2026-12-01T12:00:00Z")]
pub struct ParseTimestampError;

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let at = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| ParseTimestampError)?;
        // Euclidean: a time before 1970 is cut off towards the past too.
        let millis = at.unix_timestamp_nanos().div_euclid(1_000_000);
        let millis = i64::try_from(millis).map_err(|_| ParseTimestampError)?;
        if (MIN_MILLIS..=MAX_MILLIS).contains(&millis) {
            Ok(Self(millis))
        } else {
            Err(ParseTimestampError)
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finer_parts_are_cut_off_and_offsets_turned_to_utc() {
        let at: Timestamp = "2026-12-01T14:00:00.9999999+02:00".parse().unwrap();
        assert_eq!(at.to_string(), "2026-12-01T12:00:00.999Z");
        let before_1970: Timestamp = "1969-12-31T23:59:59.9999Z".parse().unwrap();
        assert_eq!(before_1970.as_millis(), -1);
    }

    #[test]
    fn what_is_written_can_be_read_again_up_to_the_edges() {
        for millis in [
            i64::MIN,
            MIN_MILLIS,
            -1,
            0,
            1_234_567_890_123,
            MAX_MILLIS,
            i64::MAX,
        ] {
            let at = Timestamp::from_millis(millis);
            assert_eq!(at.to_string().parse::<Timestamp>().unwrap(), at);
        }
    }

    #[test]
    fn it_is_written_as_the_standard_says() {
        // Every month, hour, minute and second, leap days, and both sides of 1970.
        let (mut millis, mut seen) = (MIN_MILLIS, 0);
        while millis <= MAX_MILLIS {
            let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000);
            let at = at.unwrap();
            let (date, time) = (at.date(), at.time());
            let expected = format!(
                "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
                date.year(),
                u8::from(date.month()),
                date.day(),
                time.hour(),
                time.minute(),
                time.second(),
                time.millisecond()
            );
            assert_eq!(Timestamp(millis).to_string(), expected);
            // A prime of about a month.
            millis += 2_591_999_999;
            seen += 1;
        }
        assert!(seen > 100_000);
    }

    #[test]
    fn a_time_without_offset_is_refused() {
        for text in [
            "",
            "tomorrow",
            "2026-12-01",
            "2026-12-01T12:00:00",
            "1764590400",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }
}
