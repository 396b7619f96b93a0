import { Select } from "antd";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { conduct, useReplica } from "../../protocol/client";
import type { ConferenceId } from "../../protocol/generated/ConferenceId";
import type { Participant } from "../../protocol/generated/Participant";
import { ReasonDialog } from "../../ui/ReasonDialog";
import { useAttempt } from "../../ui/useAttempt";

/** Takes a party into another conference that the own party commands. */
export function MoveDialog({ participant, onClose }: { participant: Participant; onClose: () => void }) {
  const { t } = useTranslation();
  const { attempt } = useAttempt();
  const conferences = useReplica((replica) => replica.conferences);
  const sites = useReplica((replica) => replica.sites);
  const [to, setTo] = useState<ConferenceId | null>(null);
  const { id, conference, name } = participant;
  const options = useMemo(
    () =>
      [...conferences.values()]
        .filter((one) => one.id !== conference && one.state !== "ended")
        .map((one) => {
          const kind = t(`conference.kind.${one.kind}`);
          const site = sites.get(one.calledBySite)?.name ?? "";
          return { value: one.id, label: one.title === "" ? `${site} · ${kind}` : `${one.title} · ${kind}` };
        }),
    [conferences, conference, sites, t],
  );
  return (
    <ReasonDialog
      title={t("conduct.moveTitle", { name })}
      action={t("conduct.move")}
      incomplete={to === null}
      testId="move"
      onClose={onClose}
      onReason={(reason) => {
        if (to === null) return;
        attempt(() => conduct(conference, { type: "move", participant: id, to, reason }), t("conduct.done.moved", { name }));
      }}
    >
      <label htmlFor="move-to">{t("conduct.moveTo")}</label>
      <Select
        id="move-to"
        data-testid="move-to"
        value={to}
        options={options}
        placeholder={t("conduct.moveTo")}
        notFoundContent={t("conduct.moveNowhere")}
        onChange={setTo}
      />
    </ReasonDialog>
  );
}
