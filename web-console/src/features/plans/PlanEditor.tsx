import { DeleteOutlined, ExperimentOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Checkbox, Input, InputNumber, Select } from "antd";
import { useId, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { order, useReplica } from "../../protocol/client";
import type { IncidentKind } from "../../protocol/generated/IncidentKind";
import type { IncidentLevel } from "../../protocol/generated/IncidentLevel";
import type { Plan } from "../../protocol/generated/Plan";
import type { PlanContent } from "../../protocol/generated/PlanContent";
import type { PlanId } from "../../protocol/generated/PlanId";
import type { PlanStep } from "../../protocol/generated/PlanStep";
import type { PlanWhom } from "../../protocol/generated/PlanWhom";
import { RehearsalDialog } from "../../ui/RehearsalDialog";
import { useAttempt } from "../../ui/useAttempt";
import { missing, NEW_PLAN, NEW_STEP } from "./rules";
import { useNames } from "./useNames";
import { keyOf, RELATIVE, ROLES, TIERS, whomOf, whomWords } from "./whom";

const KINDS: readonly IncidentKind[] = ["sudden", "mass", "contingency"];
const LEVELS: readonly IncidentLevel[] = ["I", "II", "III", "IV"];

/** Writes a new plan, or the draft of a known one. */
export function PlanEditor({ plan, onDone }: { plan: Plan | null; onDone: (plan: PlanId | null) => void }) {
  const { t } = useTranslation();
  const { attempt, busy } = useAttempt();
  const own = useReplica((replica) => replica.me.site);
  const [content, setContent] = useState<PlanContent>(plan?.versions[0]?.content ?? NEW_PLAN);
  const [trying, setTrying] = useState(false);
  const lacks = missing(content);
  const set = (change: Partial<PlanContent>) => setContent((old) => ({ ...old, ...change }));
  const setStep = (index: number, change: Partial<PlanStep>) =>
    setContent((old) => ({ ...old, steps: old.steps.map((step, at) => (at === index ? { ...step, ...change } : step)) }));

  function save() {
    attempt(async () => {
      const reply = await order({ type: "plan", order: { type: "save", plan: plan?.id ?? null, content } });
      if (reply.type === "planSaved") onDone(reply.plan);
    }, t("plan.saved"));
  }

  return (
    <form
      className="plan plan-editor"
      data-testid="plan-editor"
      onSubmit={(event) => {
        event.preventDefault();
        if (lacks === null) save();
      }}
    >
      <Trigger content={content} onChange={set} />
      <ol className="plan-steps">
        {content.steps.map((step, index) => (
          // oxlint-disable-next-line react/no-array-index-key -- a step has no number of its own
          <li key={index}>
            <StepForm
              step={step}
              index={index}
              onChange={(change) => setStep(index, change)}
              onRemove={content.steps.length > 1 ? () => set({ steps: content.steps.filter((_, at) => at !== index) }) : null}
            />
          </li>
        ))}
      </ol>
      <Button
        icon={<PlusOutlined aria-hidden />}
        disabled={content.steps.length >= 20}
        data-testid="plan-add-step"
        onClick={() => set({ steps: [...content.steps, { ...NEW_STEP, afterS: (content.steps.at(-1)?.afterS ?? 0) + 300 }] })}
      >
        {t("plan.addStep")}
      </Button>
      <Checkbox checked={content.record} onChange={(event) => set({ record: event.target.checked })}>
        {t("plan.record")} <small className="plan-hint">{t("plan.recordKept")}</small>
      </Checkbox>
      {lacks !== null && <p className="plan-hint">{t(`plan.missing.${lacks}`)}</p>}
      <div className="plan-acts">
        <Button type="primary" htmlType="submit" loading={busy} disabled={lacks !== null} data-testid="plan-save">
          {t("plan.save")}
        </Button>
        <Button icon={<ExperimentOutlined aria-hidden />} disabled={lacks !== null} onClick={() => setTrying(true)}>
          {t("plan.rehearse")}
        </Button>
        <Button onClick={() => onDone(plan?.id ?? null)}>{t("common.cancel")}</Button>
      </div>
      <RehearsalDialog open={trying} content={content} site={content.trigger.area ?? own} choosable onClose={() => setTrying(false)} />
    </form>
  );
}

function Trigger({ content, onChange }: { content: PlanContent; onChange: (change: Partial<PlanContent>) => void }) {
  const { t } = useTranslation();
  const id = useId();
  const sites = useReplica((replica) => replica.sites);
  const { trigger } = content;
  const any = { value: "", label: t("plan.any") };
  return (
    <div className="plan-trigger">
      <label htmlFor={id}>
        {t("plan.name")}
        <Input
          id={id}
          maxLength={80}
          value={content.name}
          data-testid="plan-name"
          onChange={(event) => onChange({ name: event.target.value })}
        />
      </label>
      <label>
        {t("plan.kind")}
        <Select
          value={trigger.kind ?? ""}
          options={[any, ...KINDS.map((kind) => ({ value: kind, label: t(`incident.kind.${kind}`) }))]}
          onChange={(kind) => onChange({ trigger: { ...trigger, kind: KINDS.find((one) => one === kind) ?? null } })}
        />
      </label>
      <label>
        {t("plan.level")}
        <Select
          value={trigger.level ?? ""}
          options={[any, ...LEVELS.map((level) => ({ value: level, label: t(`incident.level.${level}`) }))]}
          onChange={(level) => onChange({ trigger: { ...trigger, level: LEVELS.find((one) => one === level) ?? null } })}
        />
      </label>
      <label>
        {t("plan.area")}
        <Select
          showSearch
          optionFilterProp="label"
          value={trigger.area ?? ""}
          options={[any, ...[...sites.values()].map(({ code, name }) => ({ value: code, label: name }))]}
          onChange={(area) => onChange({ trigger: { ...trigger, area: area === "" ? null : area } })}
        />
      </label>
    </div>
  );
}

type StepProps = {
  step: PlanStep;
  index: number;
  onChange: (change: Partial<PlanStep>) => void;
  onRemove: (() => void) | null;
};

function StepForm({ step, index, onChange, onRemove }: StepProps) {
  const { t } = useTranslation();
  const { onMiss } = step;
  return (
    <fieldset className="plan-step-form" data-testid={`plan-step-${index}`}>
      <legend>{t("plan.step", { number: index + 1 })}</legend>
      <div className="plan-step-times">
        <label>
          {t("plan.afterMinutes")}
          <InputNumber
            min={0}
            max={1440}
            step={1}
            value={step.afterS / 60}
            onChange={(minutes) => onChange({ afterS: Math.round((minutes ?? 0) * 60) })}
          />
        </label>
        <label>
          {t("plan.ackSeconds")}
          <InputNumber min={5} max={86_400} step={30} value={step.ackWithinS} onChange={(seconds) => onChange({ ackWithinS: Math.round(seconds ?? 120) })} />
        </label>
        {onRemove !== null && (
          <Button type="text" danger icon={<DeleteOutlined aria-hidden />} aria-label={t("plan.removeStep")} onClick={onRemove} />
        )}
      </div>
      <label>
        {t("plan.calls")}
        <WhomPicker value={step.whom} testId={`plan-whom-${index}`} onChange={(whom) => onChange({ whom })} />
      </label>
      <label>
        {t("plan.shows")}
        <WhomPicker value={step.show} testId={`plan-show-${index}`} onChange={(show) => onChange({ show })} />
      </label>
      <label>
        {t("plan.text")}
        <Input.TextArea
          autoSize={{ minRows: 2, maxRows: 5 }}
          maxLength={2000}
          value={step.text}
          data-testid={`plan-text-${index}`}
          onChange={(event) => onChange({ text: event.target.value })}
        />
      </label>
      <div className="plan-on-miss" role="group" aria-label={t("plan.onMiss.title")}>
        <span>{t("plan.onMiss.title")}</span>
        <label>
          {t("plan.onMiss.repeatField")}
          <InputNumber min={0} max={3} size="small" value={onMiss.repeat} onChange={(repeat) => onChange({ onMiss: { ...onMiss, repeat: repeat ?? 0 } })} />
        </label>
        <Checkbox checked={onMiss.contacts} onChange={(event) => onChange({ onMiss: { ...onMiss, contacts: event.target.checked } })}>
          {t("plan.onMiss.contacts")}
        </Checkbox>
        <Checkbox checked={onMiss.above} onChange={(event) => onChange({ onMiss: { ...onMiss, above: event.target.checked } })}>
          {t("plan.onMiss.above")}
        </Checkbox>
      </div>
    </fieldset>
  );
}

type WhomProps = { value: readonly PlanWhom[]; testId: string; onChange: (whom: PlanWhom[]) => void };

function WhomPicker({ value, testId, onChange }: WhomProps) {
  const { t } = useTranslation();
  const names = useNames();
  const sites = useReplica((replica) => replica.sites);
  const people = useReplica((replica) => replica.people);
  const options = useMemo(() => {
    const group = (label: string, keys: readonly string[]) => ({
      label,
      options: keys.flatMap((key) => {
        const whom = whomOf(key);
        return whom === null ? [] : [{ value: key, label: whomWords(t, whom, names) }];
      }),
    });
    const all = [...sites.values()];
    return [
      group(t("plan.group.relative"), [...RELATIVE, ...ROLES.map((role) => `role:${role}`)]),
      group(t("plan.group.tiers"), TIERS.map((tier) => `tier:${tier}`)),
      group(t("plan.group.subtrees"), all.filter((site) => site.tier !== "community").map((site) => `subtree:${site.code}`)),
      group(t("plan.group.sites"), all.map((site) => `site:${site.code}`)),
      group(t("plan.group.seats"), all.map((site) => `dutySeat:${site.code}`)),
      group(t("plan.group.people"), [...people.keys()].map((account) => `person:${account}`)),
    ];
  }, [t, names, sites, people]);
  return (
    <Select
      mode="multiple"
      optionFilterProp="label"
      value={value.map(keyOf)}
      options={options}
      data-testid={testId}
      onChange={(keys: string[]) => onChange(keys.flatMap((key) => whomOf(key) ?? []).slice(0, 64))}
    />
  );
}
