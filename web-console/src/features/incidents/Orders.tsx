import { App, Button } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { order as send, useReplica } from "../../protocol/client";
import type { Dossier } from "../../protocol/generated/Dossier";
import type { IncidentStep } from "../../protocol/generated/IncidentStep";
import { useAttempt } from "../../ui/useAttempt";
import { OrderForm } from "./OrderForms";
import { allows, nextOrder, type Order, ORDERS } from "./rules";

/** Cannot be taken back, so they are asked about. */
const FINAL = ["markDuplicate", "markFalse", "close"] as const;

/** Every order as a control; what the state does not take stands there, but cannot be pressed. */
export function Orders({ dossier }: { dossier: Dossier }) {
  const { t } = useTranslation();
  const { modal } = App.useApp();
  const { attempt, busy } = useAttempt();
  const role = useReplica((replica) => replica.me.role);
  const { incident } = dossier;
  const next = nextOrder(incident);
  const [wanted, setWanted] = useState<{ order: Order | "note" | null; state: typeof incident.state } | null>(null);

  const may = (order: Order) => allows(incident, order, role);
  const handles = incident.handles && ORDERS.some((order) => may(order));
  // A report is there to be verified: its form needs no tap of its own.
  const first = incident.state === "reported" && may("verify") ? "verify" : null;
  const current = wanted !== null && wanted.state === incident.state ? wanted.order : first;
  const shown = current === null || current === "note" || may(current) ? current : null;
  const toggle = (order: Order | "note") => setWanted({ order: shown === order ? null : order, state: incident.state });

  function carryOut(step: IncidentStep) {
    if (step.type === "respond") return;
    const { type } = step;
    const run = () =>
      attempt(
        async () => {
          await send({ type: "incidentStep", incident: incident.id, step });
          setWanted(null);
        },
        t(`incident.done.${type}`),
      );
    const final = FINAL.find((one) => one === type);
    if (final === undefined) run();
    else {
      modal.confirm({
        title: t(`incident.submit.${final}`),
        content: t(`incident.confirm.${final}`),
        okText: <span data-testid="order-confirm">{t("incident.confirmOk")}</span>,
        okButtonProps: { danger: true },
        cancelText: t("common.cancel"),
        onOk: run,
      });
    }
  }

  return (
    <section className="orders" aria-label={t("incident.orders")}>
      <div className="orders-bar" role="group" aria-label={t("incident.orders")}>
        {handles &&
          ORDERS.map((order) => (
            <Button
              key={order}
              type={order === next ? "primary" : "default"}
              danger={may(order) && (order === "markFalse" || order === "markDuplicate")}
              disabled={!may(order)}
              title={may(order) ? undefined : t("incident.orderNotNow")}
              aria-pressed={shown === order}
              data-testid={`order-${order}`}
              onClick={() => toggle(order)}
            >
              {t(`incident.order.${order}`)}
            </Button>
          ))}
        <Button aria-pressed={shown === "note"} data-testid="order-note" onClick={() => toggle("note")}>
          {t("incident.order.note")}
        </Button>
      </div>
      {!incident.handles && <p className="orders-hint">{t("incident.notHandling", { tier: t(`tier.${incident.tier}`) })}</p>}
      {shown !== null && (
        <div className="order-form" data-testid={`order-form-${shown}`}>
          <OrderForm key={`${shown}-${incident.state}`} order={shown} dossier={dossier} busy={busy} onStep={carryOut} />
        </div>
      )}
    </section>
  );
}
