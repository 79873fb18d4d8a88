//! The core's lock-free protocols under loom, which runs every interleaving, and every value that a load may see under
//! C11's release and acquire. Each file of src/ but this and orders.rs is a protocol, and names the places of core/ that
//! it stands for: `npm run lint` compares them (scripts/lint-orders.mjs).
//!
//!   order READERS                    checks that each protocol holds as coded, with so many readers, and that it fails
//!                                    without each single order that it needs
//!   order READERS PROTOCOL [ORDER]   one case, ORDER left out: exit code 0 if it holds, 3 if it is violated
//!
//! Each case runs in a process of its own, since loom ends a failed model by a panic.

mod bucket;
mod chunks;
mod index;
mod lock;
mod orders;
mod publish;
mod reuse;
mod tag;
mod wake;

use orders::{Orders, USED, VIOLATED};
use std::process::{exit, Command};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A protocol and all orders that it uses. Each needed one makes it fail when it alone is left out. A spare one does not,
/// for the reason beside it.
struct Protocol {
    name: &'static str,
    model: fn(Orders),
    needed: &'static [&'static str],
    spare: &'static [(&'static str, &'static str)],
}

const ONCE: &str = "needed by index regrow";
const RECORD: &str = "needed where a word leads to a new record: publish and read";
const COUNTED: &str = "an old count comes with an old size or an old number of moves";

const PROTOCOLS: &[Protocol] = &[
    Protocol {
        name: "extent reuse",
        model: reuse::model,
        needed: &["raise fence", "sequence acquire", "check fence"],
        spare: &[
            ("sequence release", "the raise fence stands before it"),
            ("word release", "no bytes go with an empty word"),
            (
                "word acquire",
                "the sequence's acquire covers all that the reader may trust",
            ),
        ],
    },
    Protocol {
        name: "publish and read",
        model: publish::model,
        needed: &["word release", "word acquire"],
        spare: &[],
    },
    Protocol {
        name: "index split",
        model: index::split,
        needed: &[
            "moves acquire",
            "moves release",
            "miss fence",
            "size acquire",
            "split clear release",
            "split size release",
        ],
        spare: &[
            ("split zero release", ONCE),
            ("split copy release", ONCE),
            ("word acquire", RECORD),
            ("count acquire", COUNTED),
        ],
    },
    Protocol {
        name: "index shrink",
        model: index::shrink,
        needed: &[
            "moves acquire",
            "moves release",
            "miss fence",
            "size acquire",
            "undo clear release",
            "undo size release",
        ],
        spare: &[
            ("undo copy release", "the size's release stands behind it"),
            ("word acquire", RECORD),
            ("count acquire", COUNTED),
        ],
    },
    Protocol {
        name: "index flip",
        model: index::flip,
        needed: &[
            "miss fence",
            "moves acquire",
            "moves release",
            "size acquire",
            "split clear release",
            "split size release",
            "undo clear release",
            "undo size release",
        ],
        spare: &[
            ("split copy release", ONCE),
            ("split zero release", ONCE),
            ("undo copy release", "the size's release stands behind it"),
            ("word acquire", RECORD),
            ("count acquire", COUNTED),
        ],
    },
    Protocol {
        name: "index regrow",
        model: index::regrow,
        needed: &[
            "miss fence",
            "moves acquire",
            "moves release",
            "publish release",
            "size acquire",
            "split clear release",
            "split copy release",
            "split size release",
            "split zero release",
            "undo clear release",
            "undo size release",
            "word acquire",
        ],
        spare: &[
            ("undo copy release", "the size's release stands behind it"),
            ("count acquire", COUNTED),
        ],
    },
    Protocol {
        name: "stash",
        model: index::stash,
        needed: &[
            "drain clear release",
            "drain count release",
            "miss fence",
            "moves acquire",
            "moves release",
        ],
        spare: &[
            ("drain copy release", "the clearing's release stands behind it"),
            ("word acquire", RECORD),
            ("count acquire", COUNTED),
            ("size acquire", "the size does not change here"),
        ],
    },
    Protocol {
        name: "bucket reuse",
        model: bucket::model,
        needed: &["raise fence", "sequence acquire", "sequence first"],
        spare: &[
            ("sequence release", "the raise fence stands before it"),
            ("size release", "as the sequence's"),
            ("clear release", "no bytes go with an empty word"),
            ("size acquire", "the sequence's acquire stands before it"),
            ("word acquire", "the check fence stands behind it"),
            ("check fence", "the word's acquire stands before it"),
        ],
    },
    Protocol {
        name: "chunk move",
        model: chunks::model,
        needed: &[
            "check fence",
            "location acquire",
            "location release",
            "raise fence",
            "sequence acquire",
        ],
        spare: &[("sequence release", "the raise fence stands before it")],
    },
    Protocol {
        name: "tag",
        model: tag::model,
        needed: &[
            "birth acquire",
            "counter release",
            "ended acquire",
            "ended release",
            "raise release",
            "slot acquire",
            "word acquire",
            "word release",
        ],
        spare: &[],
    },
    Protocol {
        name: "lock",
        model: lock::exclusion,
        needed: &["let go release", "take acquire"],
        spare: &[],
    },
    Protocol {
        name: "take-over",
        model: lock::take_over,
        needed: &["incarnation acquire", "incarnation release"],
        spare: &[(
            "take over acquire",
            "the incarnation's acquire stands before it, or the kernel's answer",
        )],
    },
    Protocol {
        name: "waking",
        model: wake::model,
        needed: &["find acquire", "tell release"],
        spare: &[
            ("word release", "the telling's release stands behind it"),
            ("word acquire", "the finding's acquire stands before it"),
        ],
    },
];

/// With several readers every interleaving would take hours.
const PREEMPTIONS_MAX: usize = 2;

const HOLDS: i32 = 0;
const BROKEN: i32 = 1;
const UNKNOWN: i32 = 2;
const FAILS: i32 = 3;

static EXECUTIONS: AtomicUsize = AtomicUsize::new(0);

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.as_slice() {
        [readers] => exit(check_all(readers)),
        [readers, name] => one(readers, name, None),
        [readers, name, without] => one(readers, name, Some(without.clone().leak())),
        _ => {
            eprintln!("order READERS [PROTOCOL [ORDER]]");
            exit(UNKNOWN)
        }
    }
}

/// Runs one case in this process; prints the executions, and the orders used.
fn one(readers: &str, name: &str, without: Option<&'static str>) {
    let Some(protocol) = PROTOCOLS.iter().find(|protocol| protocol.name == name) else {
        eprintln!("no protocol named {name}");
        exit(UNKNOWN)
    };
    std::panic::set_hook(Box::new(|info| {
        let message = info.to_string();
        println!("{message}");
        exit(if message.contains(VIOLATED) { FAILS } else { BROKEN })
    }));
    let model = protocol.model;
    let readers = readers.parse().expect("a number of readers");
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 10_000;
    if readers > 1 {
        builder.preemption_bound = Some(PREEMPTIONS_MAX);
    }
    builder.check(move || {
        EXECUTIONS.fetch_add(1, Relaxed);
        model(Orders { without, readers });
    });
    println!("{} executions", EXECUTIONS.load(Relaxed));
    for label in USED.lock().unwrap().iter() {
        println!("{label}");
    }
}

/// Runs one case in another process: its exit code, and the lines it printed.
fn apart(readers: &str, protocol: &Protocol, without: Option<&str>) -> (i32, Vec<String>) {
    let own = std::env::current_exe().expect("this program has a path");
    let output = Command::new(own)
        .args([readers, protocol.name])
        .args(without)
        .output()
        .expect("it can be run again");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (
        output.status.code().unwrap_or(BROKEN),
        text.lines().map(str::to_owned).collect(),
    )
}

struct Table {
    lines: usize,
    failures: usize,
}

impl Table {
    fn line(&mut self, good: bool, protocol: &Protocol, without: &str, found: &str) {
        self.lines += 1;
        self.failures += usize::from(!good);
        let not = if good { "" } else { "not " };
        println!(
            "{not}ok {} - {:<16} | {without:<20} | {found}",
            self.lines, protocol.name
        );
    }
}

fn check_all(readers: &str) -> i32 {
    println!("# protocol         | order left out       | found");
    let mut table = Table { lines: 0, failures: 0 };
    for protocol in PROTOCOLS {
        let (code, said) = apart(readers, protocol, None);
        let first = said.first().cloned().unwrap_or_default();
        table.line(code == HOLDS, protocol, "none", &format!("holds in {first}"));
        for without in protocol.needed {
            let (code, said) = apart(readers, protocol, Some(without));
            let what = said
                .iter()
                .find(|line| line.contains(VIOLATED))
                .cloned()
                .unwrap_or_else(|| "nothing".into());
            table.line(code == FAILS, protocol, without, &what);
        }
        for (without, reason) in protocol.spare {
            let (code, _) = apart(readers, protocol, Some(without));
            table.line(code == HOLDS, protocol, without, &format!("holds: {reason}"));
        }
        let is_listed =
            |label: &str| protocol.needed.contains(&label) || protocol.spare.iter().any(|(spare, _)| *spare == label);
        for label in said.iter().skip(1).filter(|label| !is_listed(label)) {
            let (code, _) = apart(readers, protocol, Some(label));
            table.line(
                false,
                protocol,
                label,
                if code == FAILS {
                    "needed, and not listed"
                } else {
                    "not listed"
                },
            );
        }
    }
    println!("1..{}", table.lines);
    i32::from(table.failures > 0)
}
