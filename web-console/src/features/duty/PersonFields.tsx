import { Input, Select } from "antd";
import { useTranslation } from "react-i18next";

import { useReplica } from "../../protocol/client";
import type { Contact } from "../../protocol/generated/Contact";

type Props = { value: Contact; testId: string; onChange: (contact: Contact) => void };

/** A name, an account whose devices ring, a telephone for the gateway. */
export function PersonFields({ value, testId, onChange }: Props) {
  const { t } = useTranslation();
  const people = useReplica((replica) => replica.people);
  return (
    <div className="person-fields">
      <Input
        aria-label={t("duty.name")}
        placeholder={t("duty.name")}
        maxLength={64}
        value={value.name}
        data-testid={`${testId}-name`}
        onChange={(event) => onChange({ ...value, name: event.target.value })}
      />
      <Input
        aria-label={t("duty.phone")}
        placeholder={t("duty.phone")}
        inputMode="tel"
        maxLength={21}
        value={value.phone ?? ""}
        data-testid={`${testId}-phone`}
        onChange={(event) => onChange({ ...value, phone: event.target.value === "" ? null : event.target.value })}
      />
      <Select
        showSearch
        allowClear
        optionFilterProp="label"
        aria-label={t("duty.account")}
        placeholder={t("duty.account")}
        value={value.account}
        options={[...people.values()].map(({ account, name }) => ({ value: account, label: name }))}
        onChange={(account?: string) => {
          const person = account === undefined ? undefined : people.get(account);
          onChange({ ...value, account: account ?? null, name: value.name === "" ? (person?.name ?? "") : value.name });
        }}
      />
    </div>
  );
}
