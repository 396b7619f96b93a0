import { Checkbox, Input, Modal } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { order, useReplica } from "../../protocol/client";
import type { Contact } from "../../protocol/generated/Contact";
import { useAttempt } from "../../ui/useAttempt";
import { useNow } from "../../ui/useNow";
import { PersonFields } from "./PersonFields";
import { daysOf, shiftOn, weekOf } from "./week";

const NOBODY: Contact = { name: "", account: null, phone: null };

/** Plans one shift, or the same for the rest of the week. */
export function ShiftForm({ site, day, onClose }: { site: string; day: number; onClose: () => void }) {
  const { t, i18n } = useTranslation();
  const { attempt, busy } = useAttempt();
  const name = useReplica((replica) => replica.sites.get(site)?.name ?? site);
  const [person, setPerson] = useState(NOBODY);
  const [from, setFrom] = useState("08:00");
  const [to, setTo] = useState("20:00");
  const [rest, setRest] = useState(false);
  const now = useNow(60_000) + useReplica((replica) => replica.clockOffsetMs);
  const days = rest ? daysOf(weekOf(day)).filter((one, index) => index < 7 && one >= day) : [day];
  // What is over already is nobody's duty any more.
  const shifts = days.flatMap((one) => {
    const hours = shiftOn(one, from, to);
    return hours === null || hours.toMs <= now ? [] : [{ site, person, ...hours }];
  });
  const valid = shifts.length > 0 && person.name.trim() !== "";

  function plan() {
    attempt(async () => {
      await order({ type: "duty", order: { type: "plan", shifts } });
      onClose();
    }, t("duty.planned"));
  }

  return (
    <Modal
      open
      title={t("duty.planTitle", { site: name, day: new Date(day).toLocaleDateString(i18n.language, { dateStyle: "medium" }) })}
      okText={<span data-testid="shift-plan">{t("duty.plan")}</span>}
      cancelText={t("common.cancel")}
      okButtonProps={{ disabled: !valid, loading: busy }}
      onOk={plan}
      onCancel={onClose}
    >
      <div className="duty-form">
        <PersonFields value={person} testId="shift" onChange={setPerson} />
        <div className="duty-hours">
          <label>
            {t("duty.from")}
            <Input type="time" value={from} data-testid="shift-from" onChange={(event) => setFrom(event.target.value)} />
          </label>
          <label>
            {t("duty.to")}
            <Input type="time" value={to} data-testid="shift-to" onChange={(event) => setTo(event.target.value)} />
          </label>
        </div>
        <Checkbox checked={rest} onChange={(event) => setRest(event.target.checked)}>
          {t("duty.restOfWeek")}
        </Checkbox>
        {shifts.length === 0 && (
          <p className="duty-hint" role="status">
            {t("duty.over")}
          </p>
        )}
      </div>
    </Modal>
  );
}
