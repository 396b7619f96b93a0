//! Puts together the channels to those who have no device connected.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use liandong_domain::pursuit::Channel;
use tokio::sync::mpsc;

use super::StartError;
use crate::channels::gateway::{Gateway, Secret};
use crate::channels::subscriptions::Subscriptions;
use crate::channels::web_push::{Vapid, WebPush};
use crate::channels::{Adapter, Channels, RETRY_AFTER, Told, http_client};
use crate::config::Config;
use crate::desk::Desk;
use crate::http::channels::{Doors, PushDoor};

/// What is configured, as adapters and as doors for what comes back.
pub(super) fn open(
    config: &Config,
    data: &Path,
) -> Result<(Channels, mpsc::Receiver<Told>, Doors), StartError> {
    let trouble = |error: &dyn std::fmt::Display| StartError::Channels(error.to_string());
    let mut adapters: BTreeMap<Channel, Arc<dyn Adapter>> = BTreeMap::new();
    let mut doors = Doors::default();
    if config.push.is_none() && config.gateway.is_none() {
        let (channels, heard) = Channels::new(adapters);
        return Ok((channels, heard, doors));
    }
    let client = http_client().map_err(|error| trouble(&error))?;
    if let Some(push) = &config.push {
        let vapid = Vapid::open(data, &push.contact).map_err(|error| trouble(&error))?;
        let store = Subscriptions::open(data).map_err(|error| trouble(&error))?;
        let (vapid, subscriptions) = (Arc::new(vapid), Arc::new(store));
        let adapter = WebPush::new(
            Arc::clone(&vapid),
            Arc::clone(&subscriptions),
            client.clone(),
            RETRY_AFTER,
        );
        adapters.insert(Channel::WebPush, Arc::new(adapter));
        doors.push = Some(PushDoor {
            vapid,
            subscriptions,
            services: push.services.clone(),
        });
    }
    if let Some(gateway) = &config.gateway {
        let secret = Secret::new(gateway.secret.clone());
        let adapter = Gateway::new(gateway.url.clone(), secret.clone(), client, RETRY_AFTER);
        adapters.insert(Channel::Gateway, Arc::new(adapter));
        doors.gateway = Some(secret);
    }
    let (channels, heard) = Channels::new(adapters);
    Ok((channels, heard, doors))
}

/// What the channels say becomes orders, as long as the desk is there.
pub(super) async fn pass_on(mut heard: mpsc::Receiver<Told>, desk: Desk) {
    while let Some(told) = heard.recv().await {
        desk.heard(told).await;
    }
}
