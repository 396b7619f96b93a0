import { LockOutlined } from "@ant-design/icons";
import { Alert, App, Input, Modal } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useReplica } from "../../protocol/client";
import { failureKey } from "../../protocol/errors";
import type { AccountId } from "../../protocol/generated/AccountId";
import { resetSecondFactor } from "../../protocol/http";

type Props = {
  /** Whose it is; null: to be typed, since the people behind a site have no line of their own. */
  account: AccountId | null;
};

/** For administrators: takes the second factor of somebody away who lost the phone and the recovery codes. */
export function SecondFactorReset({ account }: Props) {
  const { t } = useTranslation();
  const resets = useReplica((replica) => replica.me.role === "administrator" && replica.me.account !== account);
  const [open, setOpen] = useState(false);
  if (!resets) return null;
  const label = t("secondFactorReset.title");
  return (
    <>
      <button
        type="button"
        className="tree-action"
        data-testid={`reset-factor-${account ?? "any"}`}
        title={label}
        aria-label={account === null ? label : `${label} ${account}`}
        onClick={() => setOpen(true)}
      >
        <LockOutlined aria-hidden />
      </button>
      {open && <Confirm preset={account} onClose={() => setOpen(false)} />}
    </>
  );
}

function Confirm({ preset, onClose }: { preset: AccountId | null; onClose: () => void }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const [account, setAccount] = useState<string>(preset ?? "");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<ReturnType<typeof failureKey> | null>(null);

  async function reset() {
    setBusy(true);
    setFailure(null);
    try {
      await resetSecondFactor(account.trim());
      void message.success(t("secondFactorReset.done", { account: account.trim() }));
      onClose();
    } catch (error) {
      setFailure(failureKey(error));
      setBusy(false);
    }
  }

  return (
    <Modal
      open
      title={t("secondFactorReset.title")}
      okText={t("secondFactorReset.confirm")}
      okButtonProps={{ danger: true, disabled: account.trim() === "", "data-testid": "reset-factor-confirm" }}
      confirmLoading={busy}
      width={420}
      onOk={() => void reset()}
      onCancel={onClose}
    >
      <div className="second-factor-reset">
        <p>{t("secondFactorReset.told")}</p>
        <label htmlFor="reset-account">{t("secondFactorReset.account")}</label>
        <Input
          id="reset-account"
          data-testid="reset-factor-account"
          autoComplete="off"
          maxLength={64}
          readOnly={preset !== null}
          value={account}
          onChange={(event) => setAccount(event.target.value)}
        />
        {failure !== null && <Alert type="error" showIcon title={t(failure)} />}
      </div>
    </Modal>
  );
}
