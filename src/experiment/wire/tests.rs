use super::*;
use crate::experiment::{Arm, Family, Placement};
use crate::workload::options;

const HEAD: &str = "name = \"t\"\nquestion = \"q?\"\n";

/// One family of the given lines, on two cores.
fn family(lines: &str) -> Result<Experiment, WireError> {
    parse(&format!("{HEAD}[[family]]\n{lines}\n"), "t.toml", 2, 7)
}

fn ids(experiment: &Experiment) -> Vec<&str> {
    experiment.families.iter().map(|f| f.id.as_str()).collect()
}

/// `role strategy workers` of every arm of the first family.
fn arms(experiment: &Experiment) -> Vec<String> {
    let arms = experiment.families[0].arms.iter();
    arms.map(|arm| {
        let workers = arm.options.get("workers");
        let workers = workers.map_or_else(String::new, |n| format!(" workers={n}"));
        format!("{} {}{workers}", arm.role, arm.strategy)
    })
    .collect()
}

#[test]
fn factors_multiply_out_into_readable_families() {
    let experiment = family(
        r#"workload = ["noop", "primes"]
           payload_bytes = [64, 65_536]
           size = ["s", "l"]
           options = { split = ["contiguous", "interleaved"], chunks = "1x" }
           strategy = "blocking"
           load = { closed = { callers = [1, "2x"] } }"#,
    )
    .unwrap();
    assert_eq!(
        ids(&experiment),
        [
            "noop-64B-rust-closed1",
            "noop-64B-rust-closed4",
            "noop-64KiB-rust-closed1",
            "noop-64KiB-rust-closed4",
            "primes-s-chunks2-rust-closed1",
            "primes-s-chunks2-rust-closed4",
            "primes-s-chunks2-split-interleaved-rust-closed1",
            "primes-s-chunks2-split-interleaved-rust-closed4",
            "primes-l-chunks2-rust-closed1",
            "primes-l-chunks2-rust-closed4",
            "primes-l-chunks2-split-interleaved-rust-closed1",
            "primes-l-chunks2-split-interleaved-rust-closed4",
        ]
    );
    let primes = &experiment.families[4].spec;
    assert_eq!(options::render(&primes.options), "chunks=2;split=contiguous");
    assert_eq!((primes.payload_bytes, primes.seed), (0, 7));
}

#[test]
fn open_loads_multiply_out_and_name_their_rates() {
    let experiment = family(
        r#"workload = "noop"
           strategy = "pool"
           load = { open = { rate = [0.5, 1.1], of = "blocking-capacity", probe = "*" } }"#,
    )
    .unwrap();
    assert_eq!(
        ids(&experiment),
        [
            "noop-0B-rust-open0.5cap-probe-main-loop",
            "noop-0B-rust-open0.5cap-probe-strategy",
            "noop-0B-rust-open1.1cap-probe-main-loop",
            "noop-0B-rust-open1.1cap-probe-strategy",
        ]
    );
    let experiment = family(
        r#"workload = "noop"
           strategy = "pool"
           load = { open = { rate_per_s = [100, 0.5], arrivals = ["poisson", "constant"] } }"#,
    )
    .unwrap();
    assert_eq!(
        ids(&experiment),
        [
            "noop-0B-rust-open100",
            "noop-0B-rust-open100-constant",
            "noop-0B-rust-open0.5",
            "noop-0B-rust-open0.5-constant",
        ]
    );
    let open = experiment.families[3].load.open().unwrap();
    assert_eq!(open.rate.per_s(), Some(0.5));
}

#[test]
fn a_family_may_have_a_deadline_a_cap_of_blocks_and_a_smallest_preset() {
    let of = |lines: &str| {
        family(&format!(
            "workload = \"noop\"\nstrategy = \"pool\"\nload = {{ closed = {{ callers = 1 }} }}\n{lines}"
        ))
    };
    let plain = of("").unwrap().families.swap_remove(0);
    assert_eq!((plain.deadline_ms, plain.blocks_max, plain.from_preset), (30_000, None, "smoke"));
    let limited = of("deadline = \"2m\"\nblocks = 6\npreset = \"standard\"").unwrap();
    let limited = &limited.families[0];
    let expected = (120_000, Some(6), "standard");
    assert_eq!((limited.deadline_ms, limited.blocks_max, limited.from_preset), expected);
    assert_eq!((limited.blocks(20), limited.blocks(2)), (6, 2));
    let left_out = |name| limited.left_out(&crate::experiment::Preset::by_name(name).unwrap());
    assert!(left_out("quick").unwrap().contains("from preset `standard` on"));
    assert_eq!(left_out("standard"), None);
    for (lines, said) in [
        ("deadline = \"soon\"", "`deadline` is `soon`; expected a time above zero"),
        ("deadline = \"1h\"", "expected a time from 1 ms to 10 minutes"),
        ("blocks = 0", "expected 1 or more"),
        ("preset = \"standart\"", "did you mean `standard`?"),
    ] {
        let error = of(lines).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn a_budget_is_a_time() {
    let text = format!(
        "{HEAD}budget = \"10m\"\n[[family]]\nworkload = \"noop\"\nstrategy = \"pool\"\n\
         load = {{ closed = {{ callers = 1 }} }}\n"
    );
    let experiment = parse(&text, "t.toml", 2, 7).unwrap();
    assert_eq!(experiment.budget_ns, Some(600_000_000_000));
    let text = text.replace("[[family]]", "standard_budget = \"1h\"\n[[family]]");
    let experiment = parse(&text, "t.toml", 2, 7).unwrap();
    let budget_s = |name: &str| {
        let preset = crate::experiment::Preset::by_name(name).unwrap();
        preset.for_experiment(&experiment).budget_ns.map(|ns| ns / 1_000_000_000)
    };
    assert_eq!(["smoke", "quick", "standard"].map(budget_s), [Some(20), Some(600), Some(3_600)]);
}

#[test]
fn surroundings_are_in_the_id_only_when_they_are_said() {
    let experiment = family(
        r#"workload = "noop"
           runtime = ["rust"]
           strategy = "fork"
           ballast_mib = [0, 1024]
           placement = ["unpinned", "same-core"]
           seed = 3
           load = { closed = { callers = 1 } }"#,
    )
    .unwrap();
    assert_eq!(
        ids(&experiment),
        [
            "noop-0B-rust-closed1-seed3",
            "noop-0B-rust-closed1-same-core-seed3",
            "noop-0B-rust-closed1-ballast1024MiB-seed3",
            "noop-0B-rust-closed1-ballast1024MiB-same-core-seed3",
        ]
    );
    let last = &experiment.families[3];
    assert_eq!(last.ballast_bytes, 1 << 30);
    assert_eq!(last.placement, Placement::SameCore);
    assert_eq!(last.spec.seed, 3);
}

#[test]
fn reference_and_placebo_come_first() {
    let load = "load = { closed = { callers = 1 } }";
    let listed = family(&format!(
        "workload = \"noop\"\nstrategy = [\"fork\", \"blocking\", \"pool\"]\n{load}"
    ));
    let expected = ["reference blocking", "placebo blocking", "arm fork", "arm pool workers=2"];
    assert_eq!(arms(&listed.unwrap()), expected);
    let added = family(&format!("workload = \"noop\"\nstrategy = [\"fork\", \"pool\"]\n{load}"));
    assert_eq!(arms(&added.unwrap()), expected);
}

#[test]
fn options_of_a_strategy_multiply_out_and_star_keeps_the_defaults() {
    let experiment = family(
        r#"workload = "noop"
           strategy = ["*", { name = "pool", workers = [1, 4, "3x"] }]
           load = { closed = { callers = 1 } }"#,
    )
    .unwrap();
    let arms = arms(&experiment);
    assert_eq!(arms.len(), crate::strategy::ALL.len() + 1 + 3);
    let pools: Vec<_> = arms.iter().filter(|arm| arm.starts_with("arm pool")).collect();
    assert_eq!(
        pools,
        ["arm pool workers=2", "arm pool workers=1", "arm pool workers=4", "arm pool workers=6"]
    );
}

#[test]
fn another_reference_is_the_first_arm_of_its_strategy() {
    let text = format!(
        "{HEAD}reference = \"pool\"\n[[family]]\nworkload = \"noop\"\n\
         strategy = [\"blocking\", {{ name = \"pool\", workers = [4, 1] }}]\n\
         load = {{ closed = {{ callers = 1 }} }}\n"
    );
    let experiment = parse(&text, "t.toml", 2, 7).unwrap();
    assert_eq!(
        arms(&experiment),
        [
            "reference pool workers=4",
            "placebo pool workers=4",
            "arm blocking",
            "arm pool workers=1"
        ]
    );
}

/// A file that is right on a large machine must not be refused on a small one.
#[test]
fn values_that_coincide_on_this_machine_are_merged() {
    let text = format!(
        "{HEAD}[[family]]\nworkload = \"noop\"\n\
         strategy = [\"pool\", {{ name = \"pool\", workers = [1, \"2x\"] }}]\n\
         load = {{ closed = {{ callers = [1, \"1x\", \"0.5x\"] }} }}\n"
    );
    let one = parse(&text, "t.toml", 1, 7).unwrap();
    assert_eq!(ids(&one), ["noop-0B-rust-closed1"]);
    assert_eq!(arms(&one).len(), 2 + 2);
    let eight = parse(&text, "t.toml", 8, 7).unwrap();
    assert_eq!(eight.families.len(), 3);
    assert_eq!(arms(&eight).len(), 2 + 3);
}

#[test]
fn star_leaves_out_what_fails_on_purpose() {
    let experiment = family(
        r#"workload = "*"
           strategy = "blocking"
           load = { closed = { callers = 1 } }"#,
    )
    .unwrap();
    assert!(ids(&experiment).iter().all(|id| !id.starts_with("fault")));
    let named = family(
        r#"workload = "fault"
           options = { kind = "abort" }
           strategy = "fork"
           load = { closed = { callers = 1 } }"#,
    );
    assert_eq!(ids(&named.unwrap()), ["fault-kind-abort-rust-closed1"]);
}

#[test]
fn places_count_characters_and_survive_odd_files() {
    let error = |text: &str| parse(text, "t.toml", 2, 7).unwrap_err().to_string();
    let family = "[[family]]\nworkload = \"noop\"\nload = { closed = { callers = 1 } }\n";
    let same_line = format!("{HEAD}{family}strategy = [ \"*\", {{ name = \"p\u{fc}\u{fc}l\" }}]");
    assert!(error(&same_line).starts_with("t.toml:6:28: unknown strategy"));
    let crlf = same_line.replace('\n', "\r\n");
    assert!(error(&crlf).starts_with("t.toml:6:28: unknown strategy"));
    assert_eq!(error(""), "t.toml:1:1: missing key `name`");
    let source = Source { path: "t.toml", text: "a\n\u{fc}\u{fc}b" };
    assert_eq!(source.error(Some(6..7), "x").to_string(), "t.toml:2:3: x");
    assert_eq!(source.error(Some(99..100), "x").line, 2);
}

/// Any text gives an experiment or an error with a place in the file, never a panic.
mod any_text {
    use super::*;
    use proptest::prelude::*;

    const MAIN: &str = include_str!("../../../experiments/main.toml");

    proptest! {
        #[test]
        fn damaged_files_are_refused_or_read(
            at in 0..MAIN.len(), length in 0..12usize, insert in "[\\PC\n]{0,6}"
        ) {
            let end = (at + length).min(MAIN.len());
            prop_assume!(MAIN.is_char_boundary(at) && MAIN.is_char_boundary(end));
            let text = format!("{}{insert}{}", &MAIN[..at], &MAIN[end..]);
            if let Err(error) = parse(&text, "t.toml", 2, 7) {
                prop_assert!(error.line <= text.matches('\n').count() + 1);
                prop_assert!(!error.message.contains('\n'), "{error}");
                prop_assert!(!error.message.is_empty());
            }
        }
    }
}

#[test]
fn error_is_one_line_for_any_text() {
    let error = parse("name = \"a\\nb\"\nquestion = \"\"\n[[family]]", "t.toml", 2, 7);
    let message = error.unwrap_err().message;
    assert!(!message.contains('\n'), "{message}");
}

#[test]
fn memory_loads_count_children_and_give_pools_their_workers() {
    let experiment = family(
        r#"workload = "hold"
           options = { write_mib = [0, 64] }
           strategy = ["blocking", "pool", "spawn"]
           ballast_mib = 256
           load = { memory = { children = [0, 100] } }"#,
    )
    .unwrap();
    assert_eq!(
        ids(&experiment),
        [
            "hold-rust-memory0-ballast256MiB",
            "hold-rust-memory100-ballast256MiB",
            "hold-write-mib64-rust-memory0-ballast256MiB",
            "hold-write-mib64-rust-memory100-ballast256MiB",
        ]
    );
    let expected = ["reference blocking", "placebo blocking", "arm pool workers=0", "arm spawn"];
    assert_eq!(arms(&experiment), expected);
    assert_eq!(experiment.families[1].arms[2].options["workers"], "100");
    assert_eq!(experiment.families[1].load.children(), Some(100));
    assert_eq!(experiment.families[1].load.regime(), "memory");
}

#[test]
fn what_is_held_needs_a_memory_load_and_a_memory_load_stands_alone() {
    let refused = |lines: &str| family(lines).unwrap_err().to_string();
    let held =
        refused("workload = \"hold\"\nstrategy = \"pool\"\nload = { closed = { callers = 1 } }");
    assert!(held.contains("t.toml:6:8") && held.contains("memory"), "{held}");
    let both = refused(
        "workload = \"noop\"\nstrategy = \"pool\"\n\
         load = { closed = { callers = 1 }, memory = { children = 1 } }",
    );
    assert!(both.contains("give `memory` a [[family]] of its own"), "{both}");
    let many = refused(
        "workload = \"hold\"\nstrategy = \"pool\"\nload = { memory = { children = 5000 } }",
    );
    assert!(many.contains("5000 children are too many"), "{many}");
}

const SHOWN: &str = "[[family]]\nworkload = \"noop\"\nstrategy = \"pool\"\n\
                     load = { closed = { callers = 1 } }\n[[demonstration]]\n";

#[test]
fn demonstrations_multiply_out_over_the_runtimes_that_have_them() {
    let shown = |lines: &str| {
        let text = format!("{HEAD}{SHOWN}{lines}\n");
        let experiment = parse(&text, "t.toml", 2, 7).unwrap();
        let shown = experiment.demonstrations.iter();
        shown.map(|d| format!("{} {}", d.name, d.runtime)).collect::<Vec<_>>().join(", ")
    };
    let crashes = "crash node, crash rust, crash python";
    assert_eq!(shown("name = \"crash\""), crashes);
    assert_eq!(
        shown("name = [\"crash\", \"max-buffer\"]\nruntime = [\"python\", \"node\"]"),
        "crash node, crash python, max-buffer node"
    );
    assert_eq!(
        shown("name = \"crash\"\nruntime = \"rust\"\n[[demonstration]]\nname = \"order-leak\""),
        "crash rust, order-leak node"
    );
    let all = shown("name = \"*\"");
    for kind in crate::experiment::demonstration::ALL {
        assert_eq!(all.matches(&format!("{} ", kind.name)).count(), kind.runtimes.len());
    }
}

#[test]
fn demonstrations_that_are_not_there_are_refused_with_a_hint() {
    let check = |lines: &str, expected: &str| {
        let text = format!("{HEAD}{SHOWN}{lines}\n");
        let error = parse(&text, "t.toml", 2, 7).unwrap_err().to_string();
        assert!(error.starts_with(&format!("t.toml:{expected}")), "{error}");
    };
    check("name = \"crush\"", "8:8: unknown demonstration `crush`; did you mean `crash`?");
    check("", "7:1: missing key `name`");
    check("name = []", "8:8: empty list; expected at least one demonstration");
    check(
        "name = \"crash\"\nruntme = \"node\"",
        "9:1: unknown key `runtme`; did you mean `runtime`? valid: name, runtime",
    );
    check(
        "name = [\"crash\", \"max-buffer\"]\nruntime = \"python\"",
        "9:11: demonstration `max-buffer` is in node only",
    );
    check(
        "name = \"order-leak\"\nruntime = [\"node\", \"rust\"]",
        "9:11: `rust` has none of these demonstrations",
    );
    check(
        "name = \"crash\"\n[[demonstration]]\nname = \"crash\"\nruntime = \"node\"",
        "9:1: demonstration `crash` in `node` is there twice",
    );
    let text = format!(
        "{HEAD}[demonstration]\nname = \"crash\"\n[[family]]\nworkload = \"noop\"\n\
                        strategy = \"pool\"\nload = {{ closed = {{ callers = 1 }} }}\n"
    );
    let error = parse(&text, "t.toml", 2, 7).unwrap_err().to_string();
    assert!(error.contains("[[demonstration]] in double brackets"), "{error}");
}

#[test]
fn an_option_that_a_part_of_a_family_uses_is_at_its_default_in_the_rest() {
    let experiment = family(
        r#"workload = "image"
           size = ["s", "l"]
           options = { input = ["a.jpg", "b.jpg"], output = ["memory", "files"], dir = "out" }
           strategy = { name = "pool", recycle_after = [0, 9], recycle_jitter = [5, 0] }
           load = { closed = { callers = 1 } }"#,
    )
    .unwrap();
    let told = |family: &Family| {
        let of = |name: &str| family.spec.options[name].clone();
        [family.spec.size.name().to_owned(), of("input"), of("output"), of("dir")].join(" ")
    };
    let expected = [
        "s  memory ",
        "s  files out",
        "l a.jpg memory ",
        "l a.jpg files out",
        "l b.jpg memory ",
        "l b.jpg files out",
    ];
    assert_eq!(experiment.families.iter().map(told).collect::<Vec<_>>(), expected);
    let recycled = |arm: &Arm| {
        let of = |name: &str| arm.options[name].clone();
        [of("recycle_after"), of("recycle_jitter")].join(" ")
    };
    let arms = experiment.families[0].arms.iter().filter(|arm| arm.strategy == "pool");
    assert_eq!(arms.map(recycled).collect::<Vec<_>>(), ["0 0", "9 5", "9 0"]);
}

#[test]
fn an_option_without_effect_in_a_memory_trial_is_refused() {
    let refused = |body: &str| family(body).unwrap_err().message;
    let said = refused(
        r#"workload = "hold"
           strategy = { name = "pool", workers = 4 }
           load = { memory = { children = [0, 4] } }"#,
    );
    assert!(said.contains("`workers` is `4`") && said.contains("`children` of the load"), "{said}");
    let said = refused(
        r#"workload = "hold"
           options = { write_mib = 64 }
           ballast_mib = [0, 32]
           strategy = "fork"
           load = { memory = { children = 1 } }"#,
    );
    assert!(said.contains("`write_mib` is `64`") && said.contains("ballast_mib is 32"), "{said}");
}
