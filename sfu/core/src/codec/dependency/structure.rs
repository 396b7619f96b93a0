//! `template_dependency_structure()` (§A.8.2): what the template numbers of the
//! frames after it mean.

use arrayvec::ArrayVec;

use crate::codec::bits::Bits;
use crate::codec::layer::{LayerTarget, MAX_SPATIAL, MAX_TEMPORAL};

const MAX_TEMPLATES: usize = 64;
const MAX_DECODE_TARGETS: usize = 32;
/// [`LayerTarget`]s that are told apart.
const CELLS: usize = MAX_SPATIAL * MAX_TEMPORAL;
/// Templates count their references back in four bits.
const MAX_REFERENCES: usize = 16;

/// Frames of one place in the pattern.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Template {
    pub spatial: u8,
    pub temporal: u8,
    /// Two bits for each decode target.
    indications: u64,
    /// Two bits for each cell.
    pub cells: u64,
    /// Bit i: refers to the frame i + 1 numbers before.
    pub references: u16,
}

/// See the module's text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Structure {
    /// The number of the first template.
    offset: u8,
    templates: ArrayVec<Template, MAX_TEMPLATES>,
    /// The highest layers of each decode target.
    targets: ArrayVec<LayerTarget, MAX_DECODE_TARGETS>,
    /// Bit i: the sender feeds decode target i.
    active: u32,
    chains: u8,
    sizes: Option<[(u16, u16); MAX_SPATIAL]>,
    /// The decode target that serves each [`LayerTarget`].
    serving: [u8; CELLS],
}

/// Where a target is in `cells`, 0 to 31.
pub fn cell(target: LayerTarget) -> usize {
    let spatial = usize::from(target.spatial).min(MAX_SPATIAL - 1);
    let temporal = usize::from(target.temporal).min(MAX_TEMPORAL - 1);
    spatial * MAX_TEMPORAL + temporal
}

impl Structure {
    /// `None`: malformed, or of more layers than there may be.
    pub fn parse(bits: &mut Bits<'_>) -> Option<Self> {
        let offset = bits.read(6)? as u8;
        let decode_targets = bits.read(5)? + 1; // at most 32
        let mut templates = layers(bits)?;
        for template in &mut templates {
            template.indications = read_indications(bits, decode_targets)?;
        }
        for template in &mut templates {
            let mut count = 0;
            while bits.bit()? {
                template.references |= 1 << bits.read(4)?;
                count += 1;
                if count > MAX_REFERENCES {
                    return None;
                }
            }
        }
        let chains = skip_chains(bits, decode_targets, templates.len())?;
        let targets: ArrayVec<_, MAX_DECODE_TARGETS> = (0..decode_targets)
            .map(|target| highest(&templates, target))
            .collect();
        let mut structure = Self {
            offset,
            active: u32::MAX >> (32 - decode_targets),
            chains,
            sizes: None,
            serving: std::array::from_fn(|cell| serving(&targets, cell)),
            templates,
            targets,
        };
        if bits.bit()? {
            let mut sizes = [(0, 0); MAX_SPATIAL];
            let spatial = structure.templates.last()?.spatial;
            for size in sizes.iter_mut().take(usize::from(spatial) + 1) {
                let (width, height) = (bits.read(16)? as u16, bits.read(16)? as u16);
                *size = (width.saturating_add(1), height.saturating_add(1));
            }
            structure.sizes = Some(sizes);
        }
        for at in 0..structure.templates.len() {
            let cells = structure.cells(structure.templates[at].indications);
            structure.templates[at].cells = cells;
        }
        Some(structure)
    }

    /// How many decode targets there are, 1 to 32.
    #[must_use]
    pub fn decode_targets(&self) -> u8 {
        self.targets.len() as u8
    }

    /// How many chains protect them, 0 to 32.
    #[must_use]
    pub fn chains(&self) -> usize {
        usize::from(self.chains)
    }

    /// Width and height of each spatial layer in pixels, if told.
    #[must_use]
    pub fn resolutions(&self) -> Option<&[(u16, u16); MAX_SPATIAL]> {
        self.sizes.as_ref()
    }

    /// The highest layers of the decode targets that the sender feeds.
    #[must_use]
    pub fn top(&self) -> LayerTarget {
        let fed = self.targets.iter().enumerate();
        fed.filter(|(target, _)| self.active >> target & 1 == 1)
            .fold(LOWEST, |top, (_, layers)| join(top, *layers))
    }

    /// The decode targets up to these layers, of those that the sender feeds: bit i is target i.
    #[must_use]
    pub fn active_within(&self, limit: LayerTarget) -> u32 {
        let mut mask = 0;
        for (target, layers) in self.targets.iter().enumerate() {
            if layers.spatial <= limit.spatial && layers.temporal <= limit.temporal {
                mask |= 1 << target;
            }
        }
        mask & self.active
    }

    pub(super) fn set_active(&mut self, active: u32) {
        self.active = active;
    }

    pub(super) fn template(&self, id: u8) -> Option<&Template> {
        let at = (id + 64 - self.offset) % 64;
        self.templates.get(usize::from(at))
    }

    /// frame_dtis() of one frame, by cells.
    pub(super) fn read_cells(&self, bits: &mut Bits<'_>) -> Option<u64> {
        let indications = read_indications(bits, u32::from(self.decode_targets()))?;
        Some(self.cells(indications))
    }

    fn cells(&self, indications: u64) -> u64 {
        let mut cells = 0;
        for (cell, target) in self.serving.iter().enumerate() {
            cells |= (indications >> (2 * target) & 3) << (2 * cell);
        }
        cells
    }
}

const LOWEST: LayerTarget = LayerTarget {
    spatial: 0,
    temporal: 0,
};

fn join(a: LayerTarget, b: LayerTarget) -> LayerTarget {
    LayerTarget {
        spatial: a.spatial.max(b.spatial),
        temporal: a.temporal.max(b.temporal),
    }
}

/// template_layers()
fn layers(bits: &mut Bits<'_>) -> Option<ArrayVec<Template, MAX_TEMPLATES>> {
    let mut templates = ArrayVec::new();
    let (mut spatial, mut temporal) = (0, 0);
    loop {
        if usize::from(spatial) >= MAX_SPATIAL || usize::from(temporal) >= MAX_TEMPORAL {
            return None;
        }
        let template = Template {
            spatial,
            temporal,
            ..Template::default()
        };
        templates.try_push(template).ok()?;
        match bits.read(2)? {
            0 => {}
            1 => temporal += 1,
            2 => {
                temporal = 0;
                spatial += 1;
            }
            _ => return Some(templates),
        }
    }
}

fn read_indications(bits: &mut Bits<'_>, decode_targets: u32) -> Option<u64> {
    let mut indications = 0;
    for target in 0..decode_targets {
        indications |= u64::from(bits.read(2)?) << (2 * target);
    }
    Some(indications)
}

/// template_chains(): which frames protect a decode target is of use to
/// those who lose packets on purpose without looking at references. Gives their count.
fn skip_chains(bits: &mut Bits<'_>, decode_targets: u32, templates: usize) -> Option<u8> {
    let chains = bits.below(decode_targets + 1)?;
    if chains > 0 {
        for _ in 0..decode_targets {
            bits.below(chains)?;
        }
        bits.skip(4 * templates * chains as usize)?;
    }
    Some(chains as u8)
}

/// decode_target_layers(): the highest layers among the frames of a decode target.
fn highest(templates: &[Template], target: u32) -> LayerTarget {
    templates
        .iter()
        .filter(|template| template.indications >> (2 * target) & 3 != 0)
        .fold(LOWEST, |highest, template| {
            let layers = LayerTarget {
                spatial: template.spatial,
                temporal: template.temporal,
            };
            join(highest, layers)
        })
}

/// The highest decode target within the layers of a cell; if there is none, the lowest of all.
fn serving(targets: &[LayerTarget], cell: usize) -> u8 {
    let (spatial, temporal) = (cell / MAX_TEMPORAL, cell % MAX_TEMPORAL);
    let within = |layers: &LayerTarget| {
        usize::from(layers.spatial) <= spatial && usize::from(layers.temporal) <= temporal
    };
    let all = || targets.iter().enumerate();
    let best = all()
        .filter(|(_, layers)| within(layers))
        .max_by_key(|(_, layers)| **layers);
    let found = best.or_else(|| all().min_by_key(|(_, layers)| **layers));
    found.map_or(0, |(target, _)| target as u8)
}
