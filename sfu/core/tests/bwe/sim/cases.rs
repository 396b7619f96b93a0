//! The paths and flows: RFC 8867 §5.1–5.8, and what issues of the field add.

use super::link::{LinkSpec, Loss};
use super::sender::Source;
use super::tcp::TcpSpec;

const ENCODER: Source = Source::Smooth(2_500);
const CAMERA: Source = Source::Layers(&[150, 500, 1_500]);

#[derive(Clone, Debug)]
pub struct FlowSpec {
    pub source: Source,
    pub from: f64,
    pub to: f64,
    /// 0: forward, 1: backward.
    pub direction: usize,
    pub one_way_ms: u64,
    pub pause: Option<(f64, f64)>,
}

impl FlowSpec {
    fn new(source: Source) -> Self {
        Self {
            source,
            from: 0.0,
            to: f64::MAX,
            direction: 0,
            one_way_ms: 50,
            pause: None,
        }
    }

    pub fn is_active(&self, second: f64) -> bool {
        let paused = self
            .pause
            .is_some_and(|(from, to)| (from..to).contains(&second));
        !paused && (self.from..self.to).contains(&second)
    }

    pub fn is_paused(&self, us: i64) -> bool {
        !self.is_active(us as f64 / 1e6)
    }
}

/// The bounds that a run is held to.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    pub utilisation: f64,
    pub queue_p95_ms: f64,
    pub loss: f64,
    pub convergence_s: f64,
    pub fairness: f64,
}

#[derive(Clone, Debug)]
pub struct Case {
    pub name: &'static str,
    pub title: &'static str,
    /// What the RFC, or the issue, asks for, in words.
    pub expected: &'static str,
    pub seconds: f64,
    pub forward: LinkSpec,
    pub backward: LinkSpec,
    pub flows: Vec<FlowSpec>,
    pub competitors: Vec<TcpSpec>,
    /// Figures count from this second.
    pub settled: f64,
    /// The part of the aim that counts as reached.
    pub reaches: f64,
    pub wanted: Wanted,
}

impl Case {
    fn new(
        name: &'static str,
        title: &'static str,
        expected: &'static str,
        forward: LinkSpec,
    ) -> Self {
        Self {
            name,
            title,
            expected,
            seconds: 100.0,
            forward,
            backward: LinkSpec::steady(10_000),
            flows: vec![FlowSpec::new(ENCODER)],
            competitors: Vec::new(),
            settled: 5.0,
            reaches: 0.75,
            wanted: Wanted {
                utilisation: 0.75,
                queue_p95_ms: 150.0,
                loss: 0.02,
                convergence_s: 15.0,
                fairness: 0.0,
            },
        }
    }

    fn flows(mut self, flows: Vec<FlowSpec>) -> Self {
        self.flows = flows;
        self
    }

    fn lasting(mut self, seconds: f64) -> Self {
        self.seconds = seconds;
        self
    }

    fn wanting(mut self, change: impl FnOnce(&mut Wanted)) -> Self {
        change(&mut self.wanted);
        self
    }
}

/// All of them, in the order of the report.
pub fn all() -> Vec<Case> {
    let mut all = rfc_8867();
    all.extend(lines());
    all.extend(servers());
    all
}

pub fn named(name: &str) -> Case {
    all().into_iter().find(|case| case.name == name).unwrap()
}

fn later(from: f64) -> FlowSpec {
    FlowSpec {
        from,
        ..FlowSpec::new(ENCODER)
    }
}

fn rfc_8867() -> Vec<Case> {
    let with_jitter = |mut link: LinkSpec| {
        link.jitter_ms = 7.5; // at most 15 ms, as in the RFC's default of 30 end to end
        link
    };
    let varying = [(0.0, 1_000), (40.0, 2_500), (60.0, 600), (80.0, 1_000)];
    let shared = [
        (0.0, 4_000),
        (25.0, 2_000),
        (50.0, 3_500),
        (75.0, 1_000),
        (100.0, 2_000),
    ];
    let mut congested = Case::new(
        "5.3",
        "Congested feedback link, media both ways",
        "the forward flow follows its own link; late feedback does not let it oscillate or starve",
        with_jitter(LinkSpec::steps(&[
            (0.0, 2_000),
            (20.0, 1_000),
            (40.0, 500),
            (60.0, 2_000),
        ])),
    );
    congested.backward = with_jitter(LinkSpec::steps(&[(0.0, 2_000), (35.0, 800), (70.0, 2_000)]));
    congested.flows.push(FlowSpec {
        direction: 1,
        ..FlowSpec::new(ENCODER)
    });
    let long = TcpSpec {
        from: 0.0,
        to: 120.0,
        transfer: None,
    };
    let mut against_long = Case::new(
        "5.6",
        "Against one long TCP flow",
        "neither starves: the media keeps a share of the 2 Mbit/s against a loss-based flow that fills 300 ms of queue",
        LinkSpec::steady(2_000),
    )
    .flows(vec![later(5.0)])
    .lasting(120.0)
    .wanting(|wanted| {
        // The other flow fills the queue; only what the media takes is ours.
        wanted.utilisation = 0.15;
        wanted.queue_p95_ms = 320.0;
        wanted.loss = 0.1;
        wanted.convergence_s = 120.0;
    });
    against_long.competitors = vec![long];
    against_long.settled = 15.0;
    let mut against_short = Case::new(
        "5.7",
        "Two media flows against ten short TCP flows",
        "the media comes back after each transfer; both share alike",
        LinkSpec::steady(2_000),
    )
    .flows(vec![later(5.0), later(5.0)])
    .lasting(300.0)
    .wanting(|wanted| {
        // Each transfer fills the queue anew; the aim counts what the transfers take, too.
        wanted.utilisation = 0.2;
        wanted.queue_p95_ms = 320.0;
        wanted.loss = 0.05;
        wanted.convergence_s = 300.0;
        wanted.fairness = 0.6;
    });
    against_short.competitors = (0..10)
        .map(|at| TcpSpec {
            from: 5.0 + f64::from(at),
            to: 300.0,
            transfer: Some((80, 10.0)), // 100 kB, every ten seconds
        })
        .collect();
    against_short.settled = 15.0;
    let paused = FlowSpec {
        pause: Some((40.0, 60.0)),
        ..later(0.0)
    };
    vec![
        Case::new(
            "5.1",
            "Variable capacity, one flow",
            "follows each step of 1, 2.5, 0.6, 1 Mbit/s, fills the link without standing queue",
            with_jitter(LinkSpec::steps(&varying)),
        ),
        Case::new(
            "5.2",
            "Variable capacity, two flows",
            "both follow each step and share alike",
            with_jitter(LinkSpec::steps(&shared)),
        )
        .flows(vec![later(0.0), later(0.0)])
        .lasting(125.0)
        .wanting(|wanted| {
            wanted.fairness = 0.6;
            wanted.queue_p95_ms = 200.0;
        }),
        congested.wanting(|wanted| wanted.utilisation = 0.7),
        Case::new(
            "5.4",
            "Three flows of the same algorithm on 3.5 Mbit/s",
            "late comers get their share; the last part is shared alike",
            with_jitter(LinkSpec::steady(3_500)),
        )
        .flows(vec![later(0.0), later(20.0), later(40.0)])
        .lasting(120.0)
        .wanting(|wanted| wanted.fairness = 0.5),
        Case::new(
            "5.5",
            "Round trip fairness: 20 to 300 ms on 4 Mbit/s",
            "no flow starves for its longer way",
            LinkSpec::steady(4_000),
        )
        .flows(
            [10, 25, 50, 100, 150]
                .into_iter()
                .enumerate()
                .map(|(at, one_way_ms)| FlowSpec {
                    one_way_ms,
                    ..later(10.0 * at as f64)
                })
                .collect(),
        )
        .lasting(300.0)
        .wanting(|wanted| wanted.fairness = 0.4),
        against_long,
        against_short,
        Case::new(
            "5.8",
            "One of three flows pauses from 40 to 60 s",
            "the others take its share, and it gets it back",
            with_jitter(LinkSpec::steady(3_500)),
        )
        .flows(vec![later(0.0), paused, later(0.0)])
        .lasting(120.0)
        .wanting(|wanted| wanted.fairness = 0.5),
    ]
}

/// What bad lines do.
fn lines() -> Vec<Case> {
    let lossy = |loss| {
        let mut link = LinkSpec::steady(1_500);
        link.loss = loss;
        link
    };
    let mut reordering = LinkSpec::steady(1_500);
    reordering.reordered = 0.02;
    reordering.jitter_ms = 5.0;
    let mut policed = LinkSpec::steady(10_000);
    policed.policer = Some((1_000, 20_000));
    let far = FlowSpec {
        one_way_ms: 100,
        ..later(0.0)
    };
    vec![
        Case::new(
            "drop",
            "3 Mbit/s, 300 kbit/s from 30 to 60 s, 3 Mbit/s",
            "down without standing queue; back within 15 s",
            LinkSpec::steps(&[(0.0, 3_000), (30.0, 300), (60.0, 3_000)]),
        )
        .lasting(90.0),
        Case::new(
            "rtt200",
            "Round trip 200 ms on 2 Mbit/s",
            "fills the link",
            LinkSpec::steady(2_000),
        )
        .flows(vec![far])
        .lasting(60.0)
        .wanting(|wanted| wanted.queue_p95_ms = 200.0),
        Case::new(
            "loss10",
            "10 % random loss on 1.5 Mbit/s",
            "random loss does not collapse the rate",
            lossy(Loss::Random(0.1)),
        )
        .lasting(60.0)
        .wanting(|wanted| wanted.utilisation = 0.6),
        Case::new(
            "bursts",
            "Bursts of loss (Gilbert-Elliott, 5 % on average)",
            "bursts do not collapse the rate",
            lossy(Loss::Bursts {
                enter: 0.01,
                leave: 0.1,
                loss: 0.55,
            }),
        )
        .lasting(60.0),
        Case::new(
            "reordering",
            "2 % of the packets 20 ms late, jitter",
            "reordering is not taken for congestion",
            reordering,
        )
        .lasting(60.0),
        Case::new(
            "policer",
            "A policer of 1 Mbit/s without a queue",
            "the rate is found by loss alone, and loss stays low",
            policed,
        )
        .lasting(60.0)
        .wanting(|wanted| {
            wanted.loss = 0.1;
            wanted.utilisation = 0.7;
        }),
    ]
}

/// The same with what a media server has to choose from: three layers.
fn servers() -> Vec<Case> {
    let camera = || vec![FlowSpec::new(CAMERA)];
    let mut lossy = LinkSpec::steady(3_000);
    lossy.loss = Loss::Random(0.1);
    let by_layers = |wanted: &mut Wanted| wanted.utilisation = 0.5;
    vec![
        Case::new(
            "layers-drop",
            "Layers of 150, 500, 1,500 kbit/s; 3 Mbit/s, 300 kbit/s from 30 to 60 s",
            "lower layer within 3 s, top layer again within 15 s",
            LinkSpec::steps(&[(0.0, 3_000), (30.0, 300), (60.0, 3_000)]),
        )
        .flows(camera())
        .lasting(90.0)
        .wanting(by_layers),
        Case::new(
            "layers-steps",
            "Layers on 0.8, 2, 0.8, 0.4, 2 Mbit/s",
            "the layer that fits, at most one switch too many at each step",
            LinkSpec::steps(&[
                (0.0, 800),
                (20.0, 2_000),
                (40.0, 800),
                (60.0, 400),
                (80.0, 2_000),
            ]),
        )
        .flows(camera())
        .wanting(by_layers),
        Case::new(
            "layers-loss10",
            "Layers at 10 % random loss on 3 Mbit/s",
            "the top layer stays",
            lossy,
        )
        .flows(camera())
        .lasting(60.0)
        .wanting(by_layers),
    ]
    .into_iter()
    .map(|mut case| {
        case.reaches = 0.5; // 500 kbit/s is what fits 800
        case
    })
    .collect()
}
