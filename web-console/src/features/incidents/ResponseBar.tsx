import { CarOutlined, CheckOutlined, EnvironmentFilled, LikeOutlined } from "@ant-design/icons";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { order } from "../../protocol/client";
import type { Incident } from "../../protocol/generated/Incident";
import type { ResponderState } from "../../protocol/generated/ResponderState";
import { useAttempt } from "../../ui/useAttempt";
import { isOpen, RESPONSES, responsesAfter } from "./rules";

type Step = Exclude<ResponderState, "assigned">;

const STEPS = RESPONSES.filter((one): one is Step => one !== "assigned");

const ICONS: Record<Step, ReactNode> = {
  acknowledged: <LikeOutlined aria-hidden />,
  enRoute: <CarOutlined aria-hidden />,
  onScene: <EnvironmentFilled aria-hidden />,
  done: <CheckOutlined aria-hidden />,
};

/** What this client was sent to do: how far it is, in four large buttons that go forwards only. */
export function ResponseBar({ incident }: { incident: Incident }) {
  const { t } = useTranslation();
  const { attempt, busy } = useAttempt();
  const { id, ownResponse, state } = incident;
  if (ownResponse === null) return null;
  const ahead = isOpen(state) ? responsesAfter(ownResponse) : [];
  return (
    <div className="response-bar" role="group" aria-label={t("incident.respondLabel")} data-testid="response-bar" data-response={ownResponse}>
      {STEPS.map((step) => {
        const reached = RESPONSES.indexOf(step) <= RESPONSES.indexOf(ownResponse);
        return (
          <button
            key={step}
            type="button"
            data-testid={`respond-${step}`}
            data-reached={reached}
            data-next={ahead[0] === step}
            aria-pressed={reached}
            disabled={busy || !ahead.includes(step)}
            onClick={() =>
              attempt(() => order({ type: "incidentStep", incident: id, step: { type: "respond", state: step } }))
            }
          >
            {reached ? <CheckOutlined aria-hidden /> : ICONS[step]}
            {t(reached ? `incident.response.${step}` : `incident.respond.${step}`)}
          </button>
        );
      })}
    </div>
  );
}
