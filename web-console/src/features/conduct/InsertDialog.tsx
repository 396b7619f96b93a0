import { Select } from "antd";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { conduct, useReplica } from "../../protocol/client";
import type { ConferenceId } from "../../protocol/generated/ConferenceId";
import type { SiteCode } from "../../protocol/generated/SiteCode";
import { ReasonDialog } from "../../ui/ReasonDialog";
import { useAttempt } from "../../ui/useAttempt";

/** Brings a site in without asking (强插). */
export function InsertDialog({ conference, onClose }: { conference: ConferenceId; onClose: () => void }) {
  const { t } = useTranslation();
  const { attempt } = useAttempt();
  const sites = useReplica((replica) => replica.sites);
  const participants = useReplica((replica) => replica.participants);
  const [code, setCode] = useState<SiteCode | null>(null);
  const options = useMemo(() => {
    const there = new Set(
      [...participants.values()]
        .filter((one) => one.conference === conference && one.state !== "left")
        .map((one) => one.site),
    );
    return [...sites.values()]
      .filter((site) => site.commanded && !there.has(site.code))
      .map((site) => ({
        value: site.code,
        label: `${site.name} · ${t(`presence.${site.presence ?? "unknown"}`)}`,
      }));
  }, [sites, participants, conference, t]);
  return (
    <ReasonDialog
      title={t("conduct.insertTitle")}
      action={t("conduct.insert")}
      danger
      incomplete={code === null}
      testId="insert"
      onClose={onClose}
      onReason={(reason) => {
        if (code === null) return;
        attempt(() => conduct(conference, { type: "insert", target: { type: "site", code }, reason }));
      }}
    >
      <p className="reason-hint">{t("conduct.insertHint")}</p>
      <label htmlFor="insert-site">{t("conduct.insertSite")}</label>
      <Select
        id="insert-site"
        data-testid="insert-site"
        showSearch
        optionFilterProp="label"
        value={code}
        options={options}
        placeholder={t("conduct.insertSite")}
        onChange={setCode}
      />
    </ReasonDialog>
  );
}
