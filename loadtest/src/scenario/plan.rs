//! An incident whose plan is one tap away.

use anyhow::{Context, bail};
use liandong_protocol::incident::{IncidentKind, IncidentLevel};
use liandong_protocol::plan::PlanOrder;
use liandong_protocol::{IncidentReport, IncidentStep, Reply, Request};

use crate::bot::Bot;

/// Reports a flood, verifies it as level I and opens it; gives the order that
/// starts the plan in force that fits it best.
pub(super) async fn ready(caller: &Bot) -> anyhow::Result<Request> {
    let report = IncidentReport {
        kind: IncidentKind::Contingency,
        level: Some(IncidentLevel::I),
        title: "河水漫堤".to_owned(),
        text: String::new(),
        place: None,
        address: String::new(),
        site: None,
    };
    let reply = caller.order(None, Request::ReportIncident { report }).await;
    let Reply::Reported { incident } = reply.context("the report is refused")? else {
        bail!("the report was answered by something else");
    };
    let step = IncidentStep::Verify {
        kind: IncidentKind::Contingency,
        level: IncidentLevel::I,
    };
    let verify = Request::IncidentStep { incident, step };
    caller
        .order(None, verify)
        .await
        .context("the incident cannot be verified")?;
    let open = Request::OpenIncident {
        incident: Some(incident),
    };
    let reply = caller.order(None, open).await;
    let Reply::Dossier { dossier } = reply.context("the incident cannot be opened")? else {
        bail!("the dossier did not come");
    };
    let plan = dossier.plans.first().context("there is no plan in force")?;
    tracing::info!(plan = plan.name, rings = plan.rings, "the plan is ready");
    Ok(Request::Plan {
        order: PlanOrder::Start {
            plan: plan.plan,
            incident,
        },
    })
}
