import "./plans.css";

import { PlusOutlined } from "@ant-design/icons";
import { App, Button, Drawer, Spin } from "antd";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { ask, useBook, useReplica } from "../../protocol/client";
import type { Plan } from "../../protocol/generated/Plan";
import type { PlanId } from "../../protocol/generated/PlanId";
import { PlanDetail } from "./PlanDetail";
import { PlanEditor } from "./PlanEditor";
import { writes } from "./rules";

/** Plans: read, written, approved, retired, tried. */
export function PlansPage({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const { modal } = App.useApp();
  const [editing, setEditing] = useState(false);
  /** What is being written is not lost by a click beside it. */
  function leaveEditor(then: () => void) {
    if (!editing) return then();
    modal.confirm({
      title: t("plan.leaveAsk"),
      okText: <span data-testid="plan-leave">{t("plan.leave")}</span>,
      okButtonProps: { danger: true },
      cancelText: t("plan.stay"),
      onOk: () => {
        setEditing(false);
        then();
      },
    });
  }
  return (
    <Drawer
      open={open}
      placement="right"
      size="min(1240px, 96vw)"
      title={t("plan.title")}
      destroyOnHidden
      onClose={() => leaveEditor(onClose)}
      styles={{ body: { padding: 0 } }}
    >
      <Plans editing={editing} onEditing={setEditing} leaveEditor={leaveEditor} />
    </Drawer>
  );
}

type Shown = { plan: PlanId } | "new" | null;

type PlansProps = { editing: boolean; onEditing: (editing: boolean) => void; leaveEditor: (then: () => void) => void };

function Plans({ editing, onEditing, leaveEditor }: PlansProps) {
  const { t } = useTranslation();
  const role = useReplica((replica) => replica.me.role);
  const plans = usePlans();
  const [shown, setShown] = useState<Shown>(null);
  if (plans === null) return <Spin className="plans-loading" />;
  const first = plans.find((plan) => inForce(plan) !== undefined) ?? plans[0];
  const wanted = shown !== null && shown !== "new" ? plans.find((plan) => plan.id === shown.plan) : undefined;
  const current = shown === "new" ? undefined : (wanted ?? first);
  const choose = (next: Shown) =>
    leaveEditor(() => {
      setShown(next);
      onEditing(next === "new");
    });
  return (
    <div className="plans" data-testid="plans-page">
      <nav className="plans-list" aria-label={t("plan.title")}>
        {writes(role) && (
          <Button block type="primary" icon={<PlusOutlined aria-hidden />} data-testid="plan-new" onClick={() => choose("new")}>
            {t("plan.new")}
          </Button>
        )}
        {plans.length === 0 && <p className="plans-none">{t("plan.none")}</p>}
        <ul>
          {plans.map((plan) => (
            <li key={plan.id}>
              <button
                type="button"
                className="plan-card"
                aria-current={plan.id === current?.id}
                data-testid={`plan-${plan.id}`}
                onClick={() => choose({ plan: plan.id })}
              >
                <strong>{nameOf(plan)}</strong>
                <span>
                  {(["approved", "draft", "retired"] as const).map((state) => {
                    const found = plan.versions.find((version) => version.state === state);
                    if (found === undefined || (state === "retired" && plan.versions.some((one) => one.state !== "retired"))) return null;
                    return (
                      <em key={state} className="plan-pill" data-state={state}>
                        {t(`plan.state.${state}`)} v{found.number}
                      </em>
                    );
                  })}
                </span>
              </button>
            </li>
          ))}
        </ul>
      </nav>
      <main className="plans-main">
        {editing ? (
          <PlanEditor
            key={current?.id ?? "new"}
            plan={current ?? null}
            onDone={(plan) => {
              onEditing(false);
              setShown(plan === null ? null : { plan });
            }}
          />
        ) : (
          current !== undefined && <PlanDetail key={current.id} plan={current} onEdit={() => onEditing(true)} />
        )}
      </main>
    </div>
  );
}

function inForce(plan: Plan) {
  return plan.versions.find((version) => version.state === "approved");
}

function nameOf(plan: Plan): string {
  return (inForce(plan) ?? plan.versions[0])?.content.name ?? "";
}

/** As the server has them; asked for anew when it says that they have changed. */
function usePlans(): readonly Plan[] | null {
  const [plans, setPlans] = useState<readonly Plan[] | null>(null);
  const changes = useBook("plans");
  useEffect(() => {
    // Without a line nothing comes; the next welcome counts as a change.
    ask({ type: "plans" }).then(
      (reply) => {
        if (reply.type === "plans") setPlans(reply.plans);
      },
      () => undefined,
    );
  }, [changes]);
  return plans;
}
