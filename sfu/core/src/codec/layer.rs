//! The layers within one RTP stream: what a packet says of them, what a
//! receiver is to get of them, and what a stream has.

use super::{Codec, av1, dependency, h264, h265, vp8, vp9};
use crate::rtp::munger::PictureIds;

/// Spatial layers that are told apart within one stream.
pub const MAX_SPATIAL: usize = 4;
/// Temporal layers that are told apart within one stream.
pub const MAX_TEMPORAL: usize = 8;

/// What a packet says of layers; kept beside it in the cache.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LayerInfo {
    /// Nothing: the packet is always forwarded.
    #[default]
    None,
    Vp8(vp8::Descriptor),
    Vp9(vp9::Descriptor),
    /// From the dependency descriptor beside the payload; AV1 and whatever else carries it.
    Dependency(dependency::Frame),
}

impl LayerInfo {
    /// From the payload alone; a dependency descriptor goes through
    /// [`dependency::Reader`].
    #[must_use]
    pub fn of_payload(codec: Codec, payload: &[u8]) -> Self {
        match codec {
            Codec::Vp8 => vp8::Descriptor::parse(payload).map_or(Self::None, Self::Vp8),
            Codec::Vp9 => vp9::Descriptor::parse(payload).map_or(Self::None, Self::Vp9),
            Codec::Opus | Codec::Red | Codec::H264 | Codec::Av1 | Codec::H265 => Self::None,
        }
    }

    /// There may be something to select from. Without numbers, gaps could not be closed.
    #[must_use]
    pub const fn tells_layers(&self) -> bool {
        match self {
            Self::None => false,
            Self::Vp8(vp8) => vp8.temporal_layer.is_some() && vp8.picture_id.is_some(),
            Self::Vp9(vp9) => vp9.picture_id.is_some(),
            Self::Dependency(_) => true,
        }
    }

    /// The layer of the packet's frame.
    #[must_use]
    pub fn layer(&self) -> LayerTarget {
        let (spatial, temporal) = match self {
            Self::None => (0, 0),
            Self::Vp8(vp8) => (0, vp8.temporal_layer.unwrap_or_default()),
            Self::Vp9(vp9) => (vp9.spatial, vp9.temporal),
            Self::Dependency(frame) => (frame.spatial, frame.temporal),
        };
        LayerTarget { spatial, temporal }
    }

    /// What the munger keeps continuous, as the source has it.
    #[must_use]
    pub fn numbers(&self) -> PictureIds {
        match self {
            Self::None => PictureIds::default(),
            Self::Vp8(vp8) => PictureIds {
                picture_id: vp8.picture_id.map(|id| id.value()),
                base_layer: vp8.tl0_picture_index,
                frame_number: None,
            },
            Self::Vp9(vp9) => PictureIds {
                picture_id: vp9.picture_id.map(|id| id.value()),
                base_layer: vp9.tl0_picture_index,
                frame_number: None,
            },
            Self::Dependency(frame) => PictureIds {
                picture_id: None,
                base_layer: None,
                frame_number: Some(frame.number),
            },
        }
    }

    /// Writes the munger's numbers into a copy of the payload that this was
    /// read from. (Those of a dependency descriptor: [`dependency::rewrite`].)
    pub fn rewrite(&self, payload: &mut [u8], numbers: &PictureIds) {
        let picture_id = numbers.picture_id.unwrap_or_default();
        let base_layer = numbers.base_layer.unwrap_or_default();
        match self {
            Self::Vp8(vp8) => vp8.rewrite(payload, picture_id, base_layer),
            Self::Vp9(vp9) => vp9.rewrite(payload, picture_id, base_layer),
            Self::None | Self::Dependency(_) => {}
        }
    }
}

/// Up to which layers, both included, a receiver gets a stream.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LayerTarget {
    /// 0 is the smallest picture.
    pub spatial: u8,
    /// 0 is the lowest frame rate.
    pub temporal: u8,
}

impl LayerTarget {
    /// Everything that there is.
    pub const ALL: Self = Self {
        spatial: MAX_SPATIAL as u8 - 1,
        temporal: MAX_TEMPORAL as u8 - 1,
    };
}

/// What layers a stream has, as far as it has said; for allocation.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct StreamLayers {
    /// Lines of the picture of each spatial layer; 0 is not known.
    pub heights: [u16; MAX_SPATIAL],
    spatial: u8,
    temporal: u8,
}

impl StreamLayers {
    /// At least 1.
    #[must_use]
    pub fn spatial(&self) -> u8 {
        self.spatial.max(1)
    }

    /// At least 1.
    #[must_use]
    pub fn temporal(&self) -> u8 {
        self.temporal.max(1)
    }

    /// Takes note of a packet as it comes in. `structure`: of the dependency
    /// descriptor, if the stream has one.
    pub fn note(
        &mut self,
        codec: Codec,
        info: &LayerInfo,
        payload: &[u8],
        structure: Option<&dependency::Structure>,
    ) {
        let layer = info.layer();
        // Keyframes tell what is gone; in between, layers only come.
        self.spatial = self.spatial.max(layer.spatial + 1).min(MAX_SPATIAL as u8);
        self.temporal = self
            .temporal
            .max(layer.temporal + 1)
            .min(MAX_TEMPORAL as u8);
        match info {
            LayerInfo::Vp9(vp9) => {
                if let Some(structure) = vp9.structure(payload) {
                    self.take_vp9(&structure);
                }
                return;
            }
            LayerInfo::Dependency(frame) if frame.has_structure => {
                if let Some(structure) = structure {
                    self.take_structure(structure);
                }
            }
            LayerInfo::None | LayerInfo::Vp8(_) | LayerInfo::Dependency(_) => {}
        }
        if let Some((_, height)) = frame_size(codec, payload) {
            let top = usize::from(self.spatial()) - 1;
            self.heights[top] = height;
        }
    }

    fn take_vp9(&mut self, structure: &vp9::Structure) {
        self.spatial = structure.spatial_layers.min(MAX_SPATIAL as u8);
        if let Some(temporal) = structure.temporal_layers {
            self.temporal = temporal;
        }
        if let Some(sizes) = structure.sizes {
            let heights = sizes.map(|(_, height)| height);
            let known = usize::from(self.spatial);
            self.heights = [0; MAX_SPATIAL];
            self.heights[..known].copy_from_slice(&heights[..known]);
        }
    }

    fn take_structure(&mut self, structure: &dependency::Structure) {
        let top = structure.top();
        self.spatial = top.spatial + 1;
        self.temporal = top.temporal + 1;
        self.heights = structure
            .resolutions()
            .map_or([0; MAX_SPATIAL], |sizes| sizes.map(|(_, height)| height));
    }
}

/// Width and height in pixels, from a packet that says so: the first of a
/// keyframe, or its parameter sets. Of a stream with spatial layers, the largest.
#[must_use]
pub fn frame_size(codec: Codec, payload: &[u8]) -> Option<(u16, u16)> {
    match codec {
        Codec::Opus | Codec::Red => None,
        Codec::Vp8 => vp8::frame_size(payload),
        Codec::Vp9 => {
            let structure = vp9::Descriptor::parse(payload)?.structure(payload)?;
            structure
                .sizes?
                .get(usize::from(structure.spatial_layers) - 1)
                .copied()
        }
        Codec::H264 => h264::frame_size(payload),
        Codec::H265 => h265::frame_size(payload),
        Codec::Av1 => av1::frame_size(payload),
    }
}
