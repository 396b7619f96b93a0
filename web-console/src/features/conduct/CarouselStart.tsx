import { RetweetOutlined } from "@ant-design/icons";
import { Button, Select } from "antd";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { conduct, useReplica } from "../../protocol/client";
import type { ConferenceId } from "../../protocol/generated/ConferenceId";
import { useShortName } from "../../ui/siteName";
import { useAttempt } from "../../ui/useAttempt";
import { rosterOf } from "./roster";

const INTERVALS_S = [5, 10, 15, 30, 60, 120] as const;

/** Who is shown one after the other, in the order of choosing, and for how long each; nobody chosen: all but the chair. */
export function CarouselStart({ conference }: { conference: ConferenceId }) {
  const { t } = useTranslation();
  const { attempt, busy } = useAttempt();
  const shorten = useShortName();
  const participants = useReplica((replica) => replica.participants);
  const [intervalS, setIntervalS] = useState<number>(15);
  const [accounts, setAccounts] = useState<string[]>([]);
  const options = useMemo(
    () =>
      rosterOf(participants, conference)
        .filter((one) => one.role !== "observer")
        .map((one) => ({ value: one.account, label: shorten(one.name) })),
    [participants, conference, shorten],
  );
  return (
    <div className="direction-row">
      <Button
        icon={<RetweetOutlined aria-hidden />}
        disabled={busy}
        data-testid="carousel-start"
        onClick={() => attempt(() => conduct(conference, { type: "startCarousel", accounts, intervalS }))}
      >
        {t("conduct.carousel.start")}
      </Button>
      <Select
        value={intervalS}
        data-testid="carousel-interval"
        aria-label={t("conduct.carousel.interval")}
        options={INTERVALS_S.map((value) => ({ value, label: t("conduct.carousel.seconds", { seconds: value }) }))}
        onChange={setIntervalS}
      />
      <Select
        className="carousel-list"
        mode="multiple"
        maxTagCount="responsive"
        value={accounts}
        placeholder={t("conduct.carousel.everybody")}
        data-testid="carousel-list"
        aria-label={t("conduct.carousel.list")}
        optionFilterProp="label"
        options={options}
        onChange={setAccounts}
      />
    </div>
  );
}
