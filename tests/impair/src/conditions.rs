//! What is wrong with one direction of a line.

use serde::{Deserialize, Deserializer};

/// The state of one direction. [`Conditions::default`] is a perfect line.
#[derive(Clone, Debug, PartialEq)]
pub struct Conditions {
    /// Bits per second of the bottleneck, in thousands; `None`: no bottleneck.
    pub kbps: Option<u32>,
    /// A packet that would wait longer for the bottleneck is dropped.
    pub queue_ms: u32,
    /// Drops what exceeds a rate and queues nothing.
    pub policer: Option<Policer>,
    /// Each packet is lost with this probability, 0 to 1.
    pub loss: f64,
    /// Loss that comes in bursts.
    pub burst: Option<Burst>,
    /// On the way after the bottleneck.
    pub delay_ms: u32,
    /// Up to so much more, evenly spread.
    pub jitter_ms: u32,
    /// Whether jitter may change the order.
    pub reorder: bool,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            kbps: None,
            queue_ms: 200,
            policer: None,
            loss: 0.0,
            burst: None,
            delay_ms: 0,
            jitter_ms: 0,
            reorder: false,
        }
    }
}

/// A token bucket without a queue.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policer {
    pub kbps: u32,
    pub burst_bytes: u32,
}

/// The model of Gilbert and Elliott: a good and a bad state, changed per packet.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Burst {
    /// Probability of good → bad.
    pub enter: f64,
    /// Probability of bad → good; the mean burst is 1 / leave packets.
    pub leave: f64,
    /// Probability that a packet is lost in the bad state.
    #[serde(default = "certain")]
    pub loss: f64,
}

const fn certain() -> f64 {
    1.0
}

/// New values for some of the conditions.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Change {
    #[serde(deserialize_with = "present")]
    kbps: Option<Option<u32>>,
    queue_ms: Option<u32>,
    #[serde(deserialize_with = "present")]
    policer: Option<Option<Policer>>,
    loss: Option<f64>,
    #[serde(deserialize_with = "present")]
    burst: Option<Option<Burst>>,
    delay_ms: Option<u32>,
    jitter_ms: Option<u32>,
    reorder: Option<bool>,
}

/// Tells a null, which lifts a limit, from a field that is not there.
fn present<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

impl Change {
    /// # Errors
    /// Says which value makes no sense; nothing is changed then.
    pub fn apply(&self, to: &mut Conditions) -> Result<(), String> {
        let mut new = to.clone();
        new.kbps = self.kbps.unwrap_or(new.kbps);
        new.queue_ms = self.queue_ms.unwrap_or(new.queue_ms);
        new.policer = self.policer.unwrap_or(new.policer);
        new.loss = self.loss.unwrap_or(new.loss);
        new.burst = self.burst.unwrap_or(new.burst);
        new.delay_ms = self.delay_ms.unwrap_or(new.delay_ms);
        new.jitter_ms = self.jitter_ms.unwrap_or(new.jitter_ms);
        new.reorder = self.reorder.unwrap_or(new.reorder);
        new.check()?;
        *to = new;
        Ok(())
    }
}

impl Conditions {
    fn check(&self) -> Result<(), String> {
        let mut parts = vec![("loss", self.loss)];
        if let Some(burst) = self.burst {
            parts.extend([
                ("burst.enter", burst.enter),
                ("burst.leave", burst.leave),
                ("burst.loss", burst.loss),
            ]);
        }
        for (name, part) in parts {
            if !(0.0..=1.0).contains(&part) {
                return Err(format!("{name} is {part}: give a probability, 0 to 1"));
            }
        }
        let policed = self.policer.map(|p| p.kbps);
        if self.kbps == Some(0) || policed == Some(0) {
            return Err("kbps is 0: give a rate, or null for none".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(text: &str) -> Result<Conditions, String> {
        let change: Change = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let mut conditions = Conditions {
            kbps: Some(1000),
            delay_ms: 20,
            ..Conditions::default()
        };
        change.apply(&mut conditions).map(|()| conditions)
    }

    #[test]
    fn unnamed_fields_stay_and_null_lifts() {
        let same = changed("{}").unwrap();
        assert_eq!((same.kbps, same.delay_ms), (Some(1000), 20));
        let lifted = changed(r#"{"kbps":null,"loss":0.1}"#).unwrap();
        assert_eq!((lifted.kbps, lifted.delay_ms), (None, 20));
        let burst = changed(r#"{"burst":{"enter":0.1,"leave":0.5}}"#).unwrap();
        assert_eq!(burst.burst.map(|b| b.loss), Some(1.0));
    }

    #[test]
    fn nonsense_is_named() {
        for (text, part) in [
            (r#"{"loss":1.5}"#, "loss is 1.5"),
            (r#"{"burst":{"enter":-1,"leave":0}}"#, "burst.enter"),
            (r#"{"kbps":0}"#, "kbps is 0"),
            (r#"{"policer":{"kbps":0,"burstBytes":1}}"#, "kbps is 0"),
            (r#"{"delay":5}"#, "unknown field"),
        ] {
            let error = changed(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
