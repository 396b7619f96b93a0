import { CheckOutlined, EditOutlined, ExperimentOutlined, StopOutlined } from "@ant-design/icons";
import { App, Button, Select } from "antd";
import type { TFunction } from "i18next";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { order, useReplica } from "../../protocol/client";
import type { Plan } from "../../protocol/generated/Plan";
import type { PlanOrder } from "../../protocol/generated/PlanOrder";
import type { PlanVersion } from "../../protocol/generated/PlanVersion";
import { offsetWords } from "../../ui/offset";
import { RehearsalDialog } from "../../ui/RehearsalDialog";
import { useAttempt } from "../../ui/useAttempt";
import { useNames } from "./useNames";
import { whomWords } from "./whom";

/** One plan: a version of it, and what can be done with that. */
export function PlanDetail({ plan, onEdit }: { plan: Plan; onEdit: () => void }) {
  const { t, i18n } = useTranslation();
  const { attempt, busy } = useAttempt();
  const { modal } = App.useApp();
  const [number, setNumber] = useState<number | null>(null);
  const [trying, setTrying] = useState(false);
  const own = useReplica((replica) => replica.me.site);
  const version = plan.versions.find((one) => one.number === number) ?? plan.versions[0];
  if (version === undefined) return null;
  const send = (what: PlanOrder, done: string) => attempt(() => order({ type: "plan", order: what }), done);
  const day = (ms: number) => new Date(ms).toLocaleString(i18n.language, { dateStyle: "medium", timeStyle: "short" });
  function retire({ number: retired, state }: PlanVersion) {
    modal.confirm({
      title: t(state === "draft" ? "plan.discardAsk" : "plan.retireAsk"),
      okText: t(state === "draft" ? "plan.discard" : "plan.retire"),
      okButtonProps: { danger: true },
      cancelText: t("common.cancel"),
      onOk: () => send({ type: "retire", plan: plan.id, version: retired }, t("plan.retired")),
    });
  }
  return (
    <article className="plan" data-testid="plan-detail" data-state={version.state}>
      <header className="plan-head">
        <div>
          <h2>{version.content.name}</h2>
          <p>
            <em className="plan-pill" data-state={version.state}>
              {t(`plan.state.${version.state}`)}
            </em>
            <TriggerWords version={version} />
          </p>
        </div>
        <Select
          aria-label={t("plan.versions")}
          value={version.number}
          data-testid="plan-version"
          options={plan.versions.map((one) => ({ value: one.number, label: `v${one.number} · ${t(`plan.state.${one.state}`)}` }))}
          onChange={setNumber}
        />
      </header>
      <div className="plan-acts">
        <Button icon={<ExperimentOutlined aria-hidden />} data-testid="plan-rehearse" onClick={() => setTrying(true)}>
          {t("plan.rehearse")}
        </Button>
        {plan.keeps && (
          <Button icon={<EditOutlined aria-hidden />} data-testid="plan-edit" onClick={onEdit}>
            {t("plan.edit")}
          </Button>
        )}
        {version.state === "draft" && (
          <Button
            type="primary"
            icon={<CheckOutlined aria-hidden />}
            disabled={!version.approvable}
            loading={busy}
            title={version.approvable ? undefined : t("plan.approveOther")}
            data-testid="plan-approve"
            onClick={() => send({ type: "approve", plan: plan.id, version: version.number, savedAtMs: version.savedAtMs }, t("plan.approved"))}
          >
            {t("plan.approve")}
          </Button>
        )}
        {plan.keeps && version.state !== "retired" && (
          <Button danger icon={<StopOutlined aria-hidden />} data-testid="plan-retire" onClick={() => retire(version)}>
            {t(version.state === "draft" ? "plan.discard" : "plan.retire")}
          </Button>
        )}
      </div>
      {version.state === "draft" && !version.approvable && <p className="plan-hint">{t("plan.approveOther")}</p>}
      <Steps version={version} />
      {version.content.record && <p className="plan-hint">{t("plan.recordKept")}</p>}
      <dl className="plan-facts">
        <dt>{t("plan.owner")}</dt>
        <dd>{plan.ownerName}</dd>
        <dt>{t("plan.author")}</dt>
        <dd>
          {version.authorName ?? t("plan.byConfiguration")} · {day(version.savedAtMs)}
        </dd>
        {version.approvedAtMs !== null && (
          <>
            <dt>{t("plan.approver")}</dt>
            <dd>
              {version.approvedByName ?? t("plan.byConfiguration")} · {day(version.approvedAtMs)}
            </dd>
          </>
        )}
      </dl>
      <RehearsalDialog open={trying} content={version.content} site={version.content.trigger.area ?? own} choosable onClose={() => setTrying(false)} />
    </article>
  );
}

function TriggerWords({ version }: { version: PlanVersion }) {
  const { t } = useTranslation();
  const names = useNames();
  const { kind, level, area } = version.content.trigger;
  return (
    <span>
      {[
        kind === null ? t("plan.anyKind") : t(`incident.kind.${kind}`),
        level === null ? t("plan.anyLevel") : t("plan.levelFrom", { level: t(`incident.level.${level}`) }),
        area === null ? t("plan.anyArea") : names.site(area),
      ].join(" · ")}
    </span>
  );
}

function Steps({ version }: { version: PlanVersion }) {
  const { t } = useTranslation();
  const names = useNames();
  return (
    <ol className="plan-steps">
      {version.content.steps.map((step, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- steps have no number, and a version never changes
        <li key={index} className="plan-step">
          <strong className="ld-number">{offsetWords(t, step.afterS)}</strong>
          <div>
            <ul className="plan-whom" aria-label={t("plan.calls")}>
              {step.whom.map((whom) => (
                <li key={whomWords(t, whom, names)}>{whomWords(t, whom, names)}</li>
              ))}
            </ul>
            {step.text !== "" && <p>{step.text}</p>}
            <small>
              {t("plan.ackWithin", { seconds: step.ackWithinS })}
              {" · "}
              {onMissWords(t, step.onMiss)}
              {step.show.length > 0 && ` · ${t("plan.shows")} ${step.show.map((whom) => whomWords(t, whom, names)).join("、")}`}
            </small>
          </div>
        </li>
      ))}
    </ol>
  );
}

function onMissWords(t: TFunction, { repeat, contacts, above }: PlanVersion["content"]["steps"][number]["onMiss"]): string {
  const words = [
    repeat > 0 && t("plan.onMiss.repeat", { count: repeat }),
    contacts && t("plan.onMiss.contacts"),
    above && t("plan.onMiss.above"),
  ].filter((one) => one !== false);
  return words.length === 0 ? t("plan.onMiss.nothing") : t("plan.onMiss.line", { words: words.join(" → ") });
}
