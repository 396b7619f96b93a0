import { SearchOutlined } from "@ant-design/icons";
import { Checkbox, Input } from "antd";
import { useId, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { useReplica } from "../../protocol/client";
import type { Dossier } from "../../protocol/generated/Dossier";
import type { IncidentStep } from "../../protocol/generated/IncidentStep";
import type { Target } from "../../protocol/generated/Target";
import { type Candidate, candidates, keyOf } from "./concerned";
import { Submit } from "./Submit";

type Props = { dossier: Dossier; busy: boolean; onStep: (step: IncidentStep) => void };

/** Sends sites and people; who is sent already stays so. */
export function AssignForm({ dossier, busy, onStep }: Props) {
  const { t } = useTranslation();
  const me = useReplica((replica) => replica.me);
  const sites = useReplica((replica) => replica.sites);
  const people = useReplica((replica) => replica.people);
  const [needle, setNeedle] = useState("");
  const [chosen, setChosen] = useState<ReadonlyMap<string, Target>>(new Map());
  const [text, setText] = useState("");
  const id = useId();
  const { site } = dossier.incident;
  const all = useMemo(() => candidates({ site }, me, sites, people), [site, me, sites, people]);
  const sent = useMemo(() => new Set(dossier.responders.map(({ who }) => keyOf(who))), [dossier.responders]);
  const wanted = needle.trim().toLowerCase();
  const shown = all.filter(({ name, target }) => name.toLowerCase().includes(wanted) || keyOf(target).includes(wanted));
  const near = shown.filter((one) => one.near);
  const others = shown.filter((one) => !one.near);
  const fresh = [...chosen].filter(([key]) => !sent.has(key)).map(([, target]) => target);

  function toggle(target: Target) {
    const next = new Map(chosen);
    if (!next.delete(keyOf(target))) next.set(keyOf(target), target);
    setChosen(next);
  }

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (fresh.length > 0) onStep({ type: "assign", responders: fresh, text: text.trim() });
      }}
    >
      <Input
        aria-label={t("incident.search")}
        placeholder={t("incident.search")}
        prefix={<SearchOutlined aria-hidden />}
        allowClear
        value={needle}
        data-testid="assign-search"
        onChange={(event) => setNeedle(event.target.value)}
        onPressEnter={(event) => event.preventDefault()}
      />
      <fieldset className="candidates">
        <legend className="ld-visually-hidden">{t("incident.candidates")}</legend>
        <Candidates title={t("incident.near")} list={near} sent={sent} chosen={chosen} onToggle={toggle} />
        <Candidates title={t("incident.others")} list={others} sent={sent} chosen={chosen} onToggle={toggle} />
        {shown.length === 0 && <p className="incident-none">{t("incident.candidatesNone")}</p>}
      </fieldset>
      <label htmlFor={id}>
        {t("incident.field.orders")} <small>{t("incident.optional")}</small>
      </label>
      <Input.TextArea
        id={id}
        autoSize={{ minRows: 2, maxRows: 6 }}
        maxLength={2000}
        value={text}
        data-testid="assign-text"
        onChange={(event) => setText(event.target.value)}
      />
      <Submit label={t("incident.submitAssign", { count: fresh.length })} disabled={fresh.length === 0} busy={busy} />
    </form>
  );
}

type ListProps = {
  title: string;
  list: readonly Candidate[];
  sent: ReadonlySet<string>;
  chosen: ReadonlyMap<string, Target>;
  onToggle: (target: Target) => void;
};

function Candidates({ title, list, sent, chosen, onToggle }: ListProps) {
  const { t } = useTranslation();
  if (list.length === 0) return null;
  return (
    <>
      <h4>{title}</h4>
      {list.map(({ target, name, presence, depth }) => {
        const key = keyOf(target);
        const known = presence ?? "unknown";
        return (
          <div key={key} className="candidate" style={{ paddingInlineStart: `${depth * 16}px` }}>
            <Checkbox
              checked={sent.has(key) || chosen.has(key)}
              disabled={sent.has(key)}
              data-testid={`assign-${key}`}
              onChange={() => onToggle(target)}
            >
              <span className="presence-dot" data-presence={known} role="img" aria-label={t(`presence.${known}`)} />
              {name}
            </Checkbox>
            {sent.has(key) && <small>{t("incident.sent")}</small>}
          </div>
        );
      })}
    </>
  );
}
