//! Times and numbers for people, and a histogram in text.

use std::fmt::Write;
use std::time::Duration;

use hdrhistogram::Histogram;

/// Characters of the longest bar.
const WIDEST: u64 = 40;

/// The quantiles that are shown, and what they are called.
const QUANTILES: [(f64, &str); 4] = [(0.5, "p50"), (0.9, "p90"), (0.99, "p99"), (0.999, "p99.9")];

/// The quantiles and the maximum, in a line.
pub(crate) fn quantiles(histogram: &Histogram<u64>) -> String {
    let mut line = String::new();
    for (quantile, name) in QUANTILES {
        let value = time(histogram.value_at_quantile(quantile));
        // Writing to memory cannot fail.
        let _ = write!(line, "{name} {value}   ");
    }
    line + &format!("max {}", time(histogram.max()))
}

/// A row for each step of 1, 2, 5, 10 … microseconds, from the first that has something to the last.
pub(crate) fn bars(histogram: &Histogram<u64>) -> Vec<String> {
    let steps: Vec<(u64, u64)> = steps(histogram.max());
    let from_to = |(from, to): &(u64, u64)| histogram.count_between(*from, *to - 1);
    let counts: Vec<u64> = steps.iter().map(from_to).collect();
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let rows = steps.iter().zip(&counts).map(|((_, to), count)| {
        let eighths = (count * WIDEST * 8).div_ceil(most);
        let (bar, count) = (bar(eighths), grouped(*count));
        let room = usize::try_from(WIDEST).unwrap_or_default();
        // These are round numbers.
        let to = time(*to).replace(".00", "").replace(".0", "");
        format!("< {to:>6} {bar:room$} {count:>11}")
    });
    let first = counts.iter().position(|count| *count > 0);
    rows.skip(first.unwrap_or(0)).collect()
}

/// Where rows begin and end, up to the one that holds `most`.
fn steps(most: u64) -> Vec<(u64, u64)> {
    let mut steps = Vec::new();
    let (mut from, mut decade) = (0, 1);
    while from <= most {
        for factor in [1, 2, 5] {
            let to = factor * decade;
            if from <= most {
                steps.push((from, to));
            }
            from = to;
        }
        decade *= 10;
    }
    steps
}

/// A bar, to the eighth of a character.
fn bar(eighths: u64) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let (whole, part) = (eighths / 8, eighths % 8);
    let (whole, part) = (usize::try_from(whole), usize::try_from(part));
    "█".repeat(whole.unwrap_or(0)) + PARTS[part.unwrap_or(0)]
}

/// Microseconds, to three digits.
pub(crate) fn time(micros: u64) -> String {
    let (value, unit) = match micros {
        0..1_000 => return format!("{micros} µs"),
        1_000..1_000_000 => (micros, "ms"),
        _ => (micros / 1_000, "s"),
    };
    let (whole, thousandths) = (value / 1_000, value % 1_000);
    match whole {
        0..10 => format!("{whole}.{:02} {unit}", thousandths / 10),
        10..100 => format!("{whole}.{} {unit}", thousandths / 100),
        _ => format!("{whole} {unit}"),
    }
}

/// With commas between the thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How many come in a second.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is shown in whole numbers, which are positive and far below 2^52"
)]
pub(crate) fn a_second(number: u64, time: Duration) -> u64 {
    (number as f64 / time.as_secs_f64().max(1e-9)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::histogram;

    #[test]
    fn numbers_and_times_are_short() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
        for (micros, text) in [
            (0, "0 µs"),
            (999, "999 µs"),
            (1_234, "1.23 ms"),
            (12_345, "12.3 ms"),
            (123_456, "123 ms"),
            (1_500_000, "1.50 s"),
            (3_600_000_000, "3600 s"),
        ] {
            assert_eq!(time(micros), text);
        }
    }

    #[test]
    fn bars_show_everything_that_was_measured() {
        let mut measured = histogram();
        for (micros, times) in [(120, 4), (199, 4), (200, 2), (1_100, 1)] {
            measured.saturating_record_n(micros, times);
        }
        let rows = bars(&measured);
        let counts = rows.iter().map(|row| row.rsplit(' ').next().unwrap());
        assert_eq!(counts.collect::<Vec<_>>(), ["8", "2", "0", "1"]);
        assert!(rows[0].starts_with("< 200 µs ████"), "{}", rows[0]);
        assert_eq!(rows[0].matches('█').count(), 40);
        assert_eq!(rows[1].matches('█').count(), 10);
        assert_eq!(rows[3].matches('█').count(), 5);
    }

    #[test]
    fn nothing_measured_is_nothing_shown() {
        let nothing = histogram();
        assert!(quantiles(&nothing).ends_with("max 0 µs"));
        assert_eq!(bars(&nothing).len(), 1);
    }
}
