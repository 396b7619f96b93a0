import "./incident-plans.css";

import { ExperimentOutlined, StopOutlined, ThunderboltFilled } from "@ant-design/icons";
import { App, Button, Select } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { order, startPlan, useReplica } from "../../protocol/client";
import type { Dossier } from "../../protocol/generated/Dossier";
import type { PlanChoice } from "../../protocol/generated/PlanChoice";
import type { PlanRun } from "../../protocol/generated/PlanRun";
import type { PlanRunStep } from "../../protocol/generated/PlanRunStep";
import { RehearsalDialog } from "../../ui/RehearsalDialog";
import { useShortName } from "../../ui/siteName";
import { clockOf } from "../../ui/time";
import { useAttempt } from "../../ui/useAttempt";
import { useServerNow } from "./useServerNow";

/** One tap runs the plan that is meant for the incident; and what runs already. */
export function Plans({ dossier }: { dossier: Dossier }) {
  const { incident, runs } = dossier;
  const running = (choice: PlanChoice) => runs.some((run) => run.endedAtMs === null && run.name === choice.name);
  const choices = dossier.plans.filter((choice) => !running(choice));
  const further = runs.some((run) => run.endedAtMs === null);
  const all = runs.toReversed().map((run) => <Run key={run.id} run={run} handles={incident.handles} />);
  const start = choices.length > 0 && <Start key="start" dossier={dossier} choices={choices} further={further} />;
  // What runs comes first: the red button is not to be pressed once more by mistake.
  return <>{further ? [...all, start] : [start, ...all]}</>;
}

/** `further`: one runs already. */
function Start({ dossier, choices, further }: { dossier: Dossier; choices: readonly PlanChoice[]; further: boolean }) {
  const { t } = useTranslation();
  const { modal } = App.useApp();
  const { attempt, busy } = useAttempt();
  const { incident } = dossier;
  const own = useReplica((replica) => replica.ownConference);
  const [wanted, setWanted] = useState<number | null>(null);
  const [trying, setTrying] = useState(false);
  const choice = choices.find((one) => one.plan === wanted) ?? choices[0];
  if (choice === undefined) return null;
  const { plan, name, rings } = choice;

  function start() {
    const run = () => attempt(() => startPlan(plan, incident.id), t("incident.plan.started"));
    // One is in one call at a time; to leave another for this one is the user's word.
    if (own === null || incident.conferences.includes(own)) run();
    else {
      modal.confirm({
        title: t("incident.leavesCall"),
        okText: <span data-testid="plan-start-confirm">{t("incident.confirmOk")}</span>,
        cancelText: t("common.cancel"),
        onOk: run,
      });
    }
  }

  return (
    <section className="incident-plan" data-further={further} aria-label={t("incident.plan.title")} data-testid="incident-plan">
      <div className="incident-plan-choice">
        <Select
          aria-label={t("incident.plan.choose")}
          value={plan}
          data-testid="plan-choice"
          options={choices.map((one) => ({
            value: one.plan,
            label: one.fits ? t("incident.plan.fits", { name: one.name }) : one.name,
          }))}
          onChange={setWanted}
        />
        <Button icon={<ExperimentOutlined aria-hidden />} data-testid="plan-try" onClick={() => setTrying(true)}>
          {t("plan.rehearse")}
        </Button>
      </div>
      <Button
        type={further ? "default" : "primary"}
        danger={!further}
        className="incident-plan-start"
        icon={<ThunderboltFilled aria-hidden />}
        disabled={rings === 0}
        loading={busy}
        data-testid="plan-start"
        onClick={start}
      >
        {rings === 0 ? t("incident.plan.nobody") : t("incident.plan.start", { count: rings })}
      </Button>
      <p className="incident-plan-name">{t("incident.plan.line", { name, version: choice.version, steps: choice.steps })}</p>
      <RehearsalDialog open={trying} content={choice.content} site={incident.site} onClose={() => setTrying(false)} />
    </section>
  );
}

function Run({ run, handles }: { run: PlanRun; handles: boolean }) {
  const { t } = useTranslation();
  const { modal } = App.useApp();
  const { attempt, busy } = useAttempt();
  const over = run.endedAtMs !== null;
  function stop() {
    modal.confirm({
      title: t("incident.plan.stopAsk"),
      okText: t("incident.plan.stop"),
      okButtonProps: { danger: true },
      cancelText: t("common.cancel"),
      onOk: () => attempt(() => order({ type: "plan", order: { type: "stop", run: run.id } })),
    });
  }
  return (
    <section className="plan-run" data-testid="plan-run" data-over={over} aria-label={run.name}>
      <header>
        <h3>{run.name}</h3>
        <span>
          {run.stoppedByName !== null
            ? t("incident.plan.stoppedBy", { by: run.stoppedByName })
            : t(over ? "incident.plan.over" : "incident.plan.running", { version: run.version })}
        </span>
        {!over && handles && (
          <Button size="small" danger icon={<StopOutlined aria-hidden />} loading={busy} data-testid="plan-stop" onClick={stop}>
            {t("incident.plan.stop")}
          </Button>
        )}
      </header>
      <ol>
        {run.steps.map((step, index) => (
          // oxlint-disable-next-line react/no-array-index-key -- steps have no number, and stay as they are
          <Step key={index} step={step} number={index + 1} over={over} />
        ))}
      </ol>
      {run.record && <p className="incident-plan-name">{t("plan.recordKept")}</p>}
    </section>
  );
}

function Step({ step, number, over }: { step: PlanRunStep; number: number; over: boolean }) {
  const { t } = useTranslation();
  const shorten = useShortName();
  const now = useServerNow();
  const { state, called, reached, missing } = step;
  const wait = state === "waiting" ? step.atMs - now : step.deadlineMs - now;
  const clock = over || state === "settled" ? null : clockOf(Math.max(0, wait));
  return (
    <li data-state={state} data-testid={`plan-run-step-${number}`} data-called={called} data-reached={reached}>
      <strong className="ld-number">{number}</strong>
      <div>
        <p>{step.text}</p>
        {called > 0 && (
          <>
            <div className="plan-run-bar" aria-hidden>
              <span style={{ width: `${(100 * reached) / called}%` }} />
            </div>
            <small className="ld-number">
              {t("incident.plan.reached", { reached, called })}
              {missing.length > 0 && ` · ${t(state === "settled" ? "incident.plan.missed" : "incident.plan.awaited")} `}
              {missing.slice(0, 6).map(shorten).join("、")}
              {missing.length > 6 && ` … +${missing.length - 6}`}
            </small>
          </>
        )}
        {state === "waiting" && over && <small>{t("incident.plan.notDone")}</small>}
      </div>
      {clock !== null && (
        <span className="ld-number plan-run-clock" title={t(state === "waiting" ? "incident.plan.begins" : "incident.plan.deadline")}>
          {state === "waiting" ? "T−" : ""}
          {clock}
        </span>
      )}
    </li>
  );
}
