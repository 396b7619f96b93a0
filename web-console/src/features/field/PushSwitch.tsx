import { Switch } from "antd";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { type PushState, pushState, turnPushOff, turnPushOn } from "../../protocol/push";
import { useAttempt } from "../../ui/useAttempt";

/** Whether this phone is told of a ring while the page is closed. Nothing where it cannot be. */
export function PushSwitch() {
  const { t } = useTranslation();
  const { attempt, busy } = useAttempt();
  const [state, setState] = useState<PushState>("unable");
  useEffect(() => {
    // Not reached: the switch comes with the next visit.
    pushState().then(setState, () => undefined);
  }, []);
  if (state === "unable") return null;
  return (
    <label className="push-switch" data-testid="push-switch" data-state={state}>
      <Switch
        checked={state === "on"}
        disabled={state === "denied"}
        loading={busy}
        onChange={(on) => attempt(async () => setState(await (on ? turnPushOn() : turnPushOff())))}
      />
      <span>{t(state === "denied" ? "field.pushDenied" : "field.push")}</span>
    </label>
  );
}
