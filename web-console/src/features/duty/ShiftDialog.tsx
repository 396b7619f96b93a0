import { Button, Input, Modal, Select } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { order, useReplica } from "../../protocol/client";
import type { DutyOrder } from "../../protocol/generated/DutyOrder";
import type { Shift } from "../../protocol/generated/Shift";
import { useAttempt } from "../../ui/useAttempt";
import { hoursOf } from "./week";

type Props = { shift: Shift; shifts: readonly Shift[]; keeps: boolean; onClose: () => void };

/** One shift: handed over with a note, or taken back before it begins. */
export function ShiftDialog({ shift, shifts, keeps, onClose }: Props) {
  const { t, i18n } = useTranslation();
  const { attempt, busy } = useAttempt();
  const site = useReplica((replica) => replica.sites.get(shift.site)?.name ?? shift.site);
  const next = shifts
    .filter((one) => one.site === shift.site && one.id !== shift.id && one.state !== "handedOver")
    .sort((a, b) => a.fromMs - b.fromMs);
  const [to, setTo] = useState<number | null>(next.find((one) => one.fromMs >= shift.fromMs)?.id ?? null);
  const [note, setNote] = useState("");
  const send = (what: DutyOrder, done: string) =>
    attempt(async () => {
      await order({ type: "duty", order: what });
      onClose();
    }, done);
  const day = (ms: number) => new Date(ms).toLocaleDateString(i18n.language, { month: "short", day: "numeric", weekday: "short" });
  return (
    <Modal open title={`${site} · ${shift.person.name}`} footer={null} onCancel={onClose}>
      <div className="duty-form" data-testid="shift-dialog">
        <p>
          <em className="shift-pill" data-state={shift.state}>
            {t(`duty.state.${shift.state}`)}
          </em>{" "}
          {day(shift.fromMs)} <span className="ld-number">{hoursOf(shift)}</span>
          {shift.person.phone !== null && <span className="ld-number"> · {shift.person.phone}</span>}
        </p>
        {shift.state === "handedOver" && <p className="duty-note">{shift.note === "" ? t("duty.noNote") : shift.note}</p>}
        {keeps && shift.state === "onDuty" && (
          <>
            <label>
              {t("duty.handTo")}
              <Select
                allowClear
                value={to}
                placeholder={t("duty.nobody")}
                options={next.map((one) => ({ value: one.id, label: `${one.person.name} · ${day(one.fromMs)} ${hoursOf(one)}` }))}
                onChange={(value?: number) => setTo(value ?? null)}
              />
            </label>
            <label>
              {t("duty.note")}
              <Input.TextArea
                autoSize={{ minRows: 3 }}
                maxLength={2000}
                value={note}
                data-testid="hand-over-note"
                onChange={(event) => setNote(event.target.value)}
              />
            </label>
            <Button
              type="primary"
              loading={busy}
              data-testid="hand-over"
              onClick={() => send({ type: "handOver", duty: shift.id, to, note }, t("duty.handedOver"))}
            >
              {t("duty.handOver")}
            </Button>
          </>
        )}
        {keeps && shift.state === "planned" && (
          <Button danger loading={busy} data-testid="shift-cancel" onClick={() => send({ type: "cancel", duty: shift.id }, t("duty.cancelled"))}>
            {t("duty.cancel")}
          </Button>
        )}
      </div>
    </Modal>
  );
}
