import { Button, Input, Segmented } from "antd";
import { type FormEvent, type ReactNode, useId, useState } from "react";
import { useTranslation } from "react-i18next";

import { useReplica } from "../../protocol/client";
import type { Dossier } from "../../protocol/generated/Dossier";
import type { Incident } from "../../protocol/generated/Incident";
import type { IncidentId } from "../../protocol/generated/IncidentId";
import type { IncidentStep } from "../../protocol/generated/IncidentStep";
import type { Tier } from "../../protocol/generated/Tier";
import { AssignForm } from "./AssignForm";
import { KindPicker, LevelPicker } from "./LevelPicker";
import { LevelSign } from "./LevelSign";
import { compare } from "./order";
import { isOpen, type Order, tiersAbove } from "./rules";
import { Submit } from "./Submit";

type Props = { dossier: Dossier; busy: boolean; onStep: (step: IncidentStep) => void };

const FALSE_REASONS = ["incident.reasons.nothing", "incident.reasons.mistaken", "incident.reasons.drill"] as const;
const RAISE_REASONS = ["incident.raiseReasons.spread", "incident.raiseReasons.injured", "incident.raiseReasons.forces"] as const;

/** What an order needs to be told. */
export function OrderForm({ order, ...props }: Props & { order: Order | "note" }) {
  switch (order) {
    case "verify":
      return <VerifyForm {...props} />;
    case "markDuplicate":
      return <DuplicateForm {...props} />;
    case "markFalse":
      return <FalseForm {...props} />;
    case "setLevel":
      return <LevelForm {...props} />;
    case "escalate":
      return <EscalateForm {...props} />;
    case "assign":
      return <AssignForm {...props} />;
    case "control":
      return <TextForm {...props} order="control" step={(text) => ({ type: "control", text })} />;
    case "close":
      return <TextForm {...props} order="close" step={(text) => ({ type: "close", text })} danger />;
    case "review":
      return <TextForm {...props} order="review" step={(findings) => ({ type: "review", findings })} needed />;
    case "note":
      return <TextForm {...props} order="note" step={(text) => ({ type: "note", text })} needed />;
    default:
      return order satisfies never;
  }
}

function VerifyForm({ dossier, busy, onStep }: Props) {
  const { t } = useTranslation();
  const [kind, setKind] = useState(dossier.incident.kind);
  const [level, setLevel] = useState(dossier.incident.level);
  return (
    <form onSubmit={sending(() => level !== null && onStep({ type: "verify", kind, level }))}>
      <KindPicker value={kind} onChange={setKind} />
      <LevelPicker value={level} onChange={setLevel} />
      <Submit label={t("incident.submit.verify")} disabled={level === null} busy={busy} />
    </form>
  );
}

function DuplicateForm({ dossier, busy, onStep }: Props) {
  const { t } = useTranslation();
  const incidents = useReplica((replica) => replica.incidents);
  const [of, setOf] = useState<IncidentId | null>(null);
  const possible = (one: Incident) => one.id !== dossier.incident.id && one.duplicateOf === null && one.state !== "false";
  const alike = dossier.alike.flatMap((id) => incidents.get(id) ?? []).filter(possible);
  const others = [...incidents.values()]
    .filter((one) => possible(one) && isOpen(one.state) && !dossier.alike.includes(one.id))
    .sort(compare);
  const choices = (title: string, list: readonly Incident[]): ReactNode =>
    list.length > 0 && (
      <fieldset className="choices" data-columns="1">
        <legend>{title}</legend>
        {list.map((one) => (
          <label key={one.id} className="choice" data-chosen={of === one.id} data-testid={`duplicate-of-${one.id}`}>
            <input type="radio" name="duplicate-of" className="ld-visually-hidden" checked={of === one.id} onChange={() => setOf(one.id)} />
            <LevelSign level={one.level} size={24} />
            <span>
              <strong>{one.title}</strong>
              <small>
                {t("incident.number", { id: one.id })} · {one.siteName} · {t(`incident.state.${one.state}`)}
              </small>
            </span>
          </label>
        ))}
      </fieldset>
    );
  return (
    <form onSubmit={sending(() => of !== null && onStep({ type: "markDuplicate", of }))}>
      {choices(t("incident.alike"), alike)}
      {choices(t("incident.alikeOthers"), others)}
      {alike.length + others.length === 0 && <p className="incident-none">{t("incident.alikeNone")}</p>}
      <Submit label={t("incident.submit.markDuplicate")} disabled={of === null} busy={busy} danger />
    </form>
  );
}

function FalseForm({ busy, onStep }: Props) {
  const { t } = useTranslation();
  const [reason, setReason] = useState("");
  return (
    <form onSubmit={sending(() => reason.trim() !== "" && onStep({ type: "markFalse", reason: reason.trim() }))}>
      <Reason value={reason} presets={FALSE_REASONS} onChange={setReason} />
      <Submit label={t("incident.submit.markFalse")} disabled={reason.trim() === ""} busy={busy} danger />
    </form>
  );
}

function LevelForm({ dossier, busy, onStep }: Props) {
  const { t } = useTranslation();
  const [level, setLevel] = useState(dossier.incident.level);
  const [reason, setReason] = useState("");
  const ready = level !== null && level !== dossier.incident.level && reason.trim() !== "";
  return (
    <form onSubmit={sending(() => level !== null && ready && onStep({ type: "setLevel", level, reason: reason.trim() }))}>
      <LevelPicker value={level} onChange={setLevel} />
      <Reason value={reason} presets={RAISE_REASONS} onChange={setReason} />
      <Submit label={t("incident.submit.setLevel")} disabled={!ready} busy={busy} />
    </form>
  );
}

function EscalateForm({ dossier, busy, onStep }: Props) {
  const { t } = useTranslation();
  const tiers = tiersAbove(dossier.incident.tier);
  const [chosen, setChosen] = useState<Tier | null>(null);
  const [reason, setReason] = useState("");
  const tier = chosen ?? tiers[0];
  const ready = tier !== undefined && reason.trim() !== "";
  return (
    <form onSubmit={sending(() => tier !== undefined && ready && onStep({ type: "escalate", tier, reason: reason.trim() }))}>
      <span className="order-label">{t("incident.field.tier")}</span>
      <Segmented<Tier>
        aria-label={t("incident.field.tier")}
        value={tier ?? "county"}
        options={tiers.map((one) => ({ value: one, label: t(`tier.${one}`) }))}
        onChange={setChosen}
      />
      <Reason value={reason} presets={RAISE_REASONS} onChange={setReason} />
      <Submit label={t("incident.submit.escalate")} disabled={!ready} busy={busy} />
    </form>
  );
}

type TextProps = Props & {
  order: "control" | "close" | "review" | "note";
  step: (text: string) => IncidentStep;
  needed?: boolean;
  danger?: boolean;
};

function TextForm({ order, step, busy, onStep, needed = false, danger = false }: TextProps) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const id = useId();
  const ready = !needed || text.trim() !== "";
  return (
    <form onSubmit={sending(() => ready && onStep(step(text.trim())))}>
      <label htmlFor={id}>
        {t(`incident.field.${order}`)} {!needed && <small>{t("incident.optional")}</small>}
      </label>
      <Input.TextArea
        id={id}
        autoFocus
        autoSize={{ minRows: 3, maxRows: 10 }}
        maxLength={2000}
        value={text}
        data-testid="order-text"
        onChange={(event) => setText(event.target.value)}
      />
      <Submit label={t(`incident.submit.${order}`)} disabled={!ready} busy={busy} danger={danger} />
    </form>
  );
}

type ReasonProps = {
  value: string;
  presets: readonly (typeof FALSE_REASONS | typeof RAISE_REASONS)[number][];
  onChange: (reason: string) => void;
};

function Reason({ value, presets, onChange }: ReasonProps) {
  const { t } = useTranslation();
  const id = useId();
  return (
    <>
      <label htmlFor={id}>{t("incident.field.reason")}</label>
      <Input id={id} maxLength={200} value={value} data-testid="order-reason" onChange={(event) => onChange(event.target.value)} />
      <div className="order-presets">
        {presets.map((preset) => (
          <Button key={preset} size="small" onClick={() => onChange(t(preset))}>
            {t(preset)}
          </Button>
        ))}
      </div>
    </>
  );
}

function sending(send: () => unknown): (event: FormEvent) => void {
  return (event) => {
    event.preventDefault();
    send();
  };
}
