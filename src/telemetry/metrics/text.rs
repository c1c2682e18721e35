//! The two forms of the text: `OpenMetrics` 1.0.0, and the classic one, 0.0.4, that everybody
//! reads. The first is what the library writes; the second is made of it.
//!
//! The classic text names a counter with its `_total` where it describes it, knows no `info`,
//! no `unknown` and no units, and ends without a mark.

/// Adds the classic form of an `OpenMetrics` text, without exemplars and times, to `classic`.
pub(super) fn make_classic(open: &str, classic: &mut String) {
    let mut help = None;
    for line in open.lines() {
        if let Some(described) = line.strip_prefix("# HELP ") {
            // The name that belongs here hangs on the type, which comes next.
            help = described.split_once(' ');
        } else if let Some((name, kind)) = line
            .strip_prefix("# TYPE ")
            .and_then(|described| described.split_once(' '))
        {
            let (suffix, kind) = match kind {
                "counter" => ("_total", kind),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                _ => ("", kind),
            };
            if let Some((_, help)) = help.take().filter(|(described, _)| *described == name) {
                classic.extend(["# HELP ", name, suffix, " ", help, "\n"]);
            }
            classic.extend(["# TYPE ", name, suffix, " ", kind, "\n"]);
        } else if !line.starts_with('#') {
            classic.extend([line, "\n"]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use prometheus_client::encoding::text::encode;
    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::family::Family;
    use prometheus_client::metrics::gauge::Gauge;
    use prometheus_client::metrics::histogram::Histogram;
    use prometheus_client::metrics::info::Info;
    use prometheus_client::registry::{Registry, Unit};
    use proptest::prelude::*;

    use super::*;

    type Labels = Vec<(String, String)>;

    /// A metric of each type, with these values and label.
    fn open(values: &[(String, u32)]) -> String {
        let mut registry = Registry::with_prefix("some");
        let counters = Family::<Labels, Counter>::default();
        let gauges = Family::<Labels, Gauge>::default();
        let histograms =
            Family::<Labels, Histogram>::new_with_constructor(|| Histogram::new([1.0, 1000.0]));
        for (label, value) in values {
            let labels = vec![("label".to_owned(), label.clone())];
            counters.get_or_create(&labels).inc_by(u64::from(*value));
            gauges.get_or_create(&labels).set(i64::from(*value));
            histograms.get_or_create(&labels).observe(f64::from(*value));
        }
        registry.register_with_unit("time", "A time", Unit::Seconds, counters);
        registry.register("level", "A level", gauges);
        registry.register("spread", "A spread", histograms);
        registry.register("build", "A build", Info::new(vec![("version", "1")]));
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        text
    }

    fn classic(open: &str) -> String {
        let mut text = String::new();
        make_classic(open, &mut text);
        text
    }

    /// All series with their values.
    fn series(text: &str) -> BTreeMap<&str, &str> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| line.rsplit_once(' ').unwrap()).collect()
    }

    #[test]
    fn each_type_is_told_as_the_classic_text_tells_it() {
        insta::assert_snapshot!(classic(&open(&[("a".to_owned(), 3)])), @r#"
        # HELP some_time_seconds_total A time.
        # TYPE some_time_seconds_total counter
        some_time_seconds_total{label="a"} 3
        # HELP some_level A level.
        # TYPE some_level gauge
        some_level{label="a"} 3
        # HELP some_spread A spread.
        # TYPE some_spread histogram
        some_spread_sum{label="a"} 3.0
        some_spread_count{label="a"} 1
        some_spread_bucket{le="1.0",label="a"} 0
        some_spread_bucket{le="1000.0",label="a"} 1
        some_spread_bucket{le="+Inf",label="a"} 1
        # HELP some_build_info A build.
        # TYPE some_build_info gauge
        some_build_info{version="1"} 1
        "#);
    }

    proptest! {
        #[test]
        fn both_forms_have_the_same_series_with_the_same_values(
            values in prop::collection::vec(("\\PC*", 0..u32::MAX), 0..8)
        ) {
            let open = open(&values);
            let classic = classic(&open);
            prop_assert_eq!(series(&open), series(&classic));
            prop_assert!(!classic.contains("# EOF") && !classic.contains("# UNIT"));
            // Each series stands below a description of its own name.
            let mut described = "";
            for line in classic.lines() {
                if let Some(rest) = line.strip_prefix("# TYPE ") {
                    described = rest.split(' ').next().unwrap();
                } else if !line.starts_with('#') {
                    let name = line.split(['{', ' ']).next().unwrap();
                    let rest = name.strip_prefix(described);
                    prop_assert!(matches!(rest, Some("" | "_bucket" | "_sum" | "_count")), "{}", line);
                }
            }
        }
    }
}
