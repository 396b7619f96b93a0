import "./topbar.css";

import {
  CalendarOutlined,
  LogoutOutlined,
  ProfileOutlined,
  SafetyOutlined,
  SendOutlined,
  SettingOutlined,
  UserOutlined,
} from "@ant-design/icons";
import { App, Button, Dropdown } from "antd";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { AccountSecurity } from "../features/login/AccountSecurity";
import { WebhooksDialog } from "../features/webhooks/WebhooksDialog";
import { DutyPage } from "../features/duty/DutyPage";
import { PlansPage } from "../features/plans/PlansPage";
import { linkStore, signOut, useReplica } from "../protocol/client";
import { LanguageSwitch } from "../ui/LanguageSwitch";
import { Mark } from "../ui/Mark";
import { useNow } from "../ui/useNow";

/** County, clock, connection, own account. `children`: what the call says about itself. */
export function TopBar({ onDevices, children }: { onDevices: () => void; children?: ReactNode }) {
  const { t } = useTranslation();
  const me = useReplica((replica) => replica.me);
  return (
    <header className="topbar">
      <div className="topbar-brand">
        <Mark size={34} />
        <div>
          <strong>{me.countyName}</strong>
          <span>
            {t("app.name")} · {t("app.subtitle")}
          </span>
        </div>
      </div>
      <div className="topbar-middle">{children}</div>
      <LinkState />
      <Clock />
      <Books />
      <LanguageSwitch />
      <Button
        type="text"
        icon={<SettingOutlined aria-hidden />}
        aria-label={t("devices.open")}
        title={t("devices.open")}
        data-testid="open-devices"
        onClick={onDevices}
      />
      <AccountMenu />
    </header>
  );
}

/** Plans and the roster, over whatever is on the page. */
function Books() {
  const { t } = useTranslation();
  const [open, setOpen] = useState<"plans" | "duty" | null>(null);
  const close = () => setOpen(null);
  return (
    <>
      <Button type="text" icon={<ProfileOutlined aria-hidden />} data-testid="open-plans" onClick={() => setOpen("plans")}>
        {t("plan.short")}
      </Button>
      <Button type="text" icon={<CalendarOutlined aria-hidden />} data-testid="open-duty" onClick={() => setOpen("duty")}>
        {t("duty.short")}
      </Button>
      <PlansPage open={open === "plans"} onClose={close} />
      <DutyPage open={open === "duty"} onClose={close} />
    </>
  );
}

export function AccountMenu() {
  const { t } = useTranslation();
  const { modal } = App.useApp();
  const me = useReplica((replica) => replica.me);
  const inCall = useReplica((replica) => replica.ownConference !== null);
  const [security, setSecurity] = useState(false);
  const [webhooks, showWebhooks] = useState(false);

  function leaveSession() {
    // The page is signed out at once; should the server not hear it, the session ends by its age.
    const out = () => void signOut().catch(() => undefined);
    if (!inCall) out();
    else modal.confirm({ title: t("account.signOutInCall"), okText: t("account.signOut"), onOk: out });
  }

  return (
    <>
      <Dropdown
        trigger={["click"]}
        menu={{
          items: [
            { key: "who", disabled: true, label: `${me.account} · ${t(`role.${me.role}`)}` },
            ...(me.role === "administrator"
              ? [
                  {
                    key: "webhooks",
                    icon: <SendOutlined />,
                    label: <span data-testid="open-webhooks">{t("webhooks.title")}</span>,
                    onClick: () => showWebhooks(true),
                  },
                ]
              : []),
            { key: "security", icon: <SafetyOutlined />, label: <span data-testid="security">{t("account.security")}</span>, onClick: () => setSecurity(true) },
            { key: "out", icon: <LogoutOutlined />, label: <span data-testid="sign-out">{t("account.signOut")}</span>, onClick: leaveSession },
          ],
        }}
      >
        <Button type="text" className="topbar-account" data-testid="account-menu" icon={<UserOutlined aria-hidden />}>
          <span className="ld-visually-hidden">{t("account.menu")}</span>
          <span className="topbar-account-name">{me.name}</span>
        </Button>
      </Dropdown>
      <AccountSecurity open={security} onClose={() => setSecurity(false)} />
      {webhooks && <WebhooksDialog onClose={() => showWebhooks(false)} />}
    </>
  );
}

export function LinkState() {
  const { t } = useTranslation();
  const phase = useStore(linkStore, (link) => link.phase);
  return (
    <span className="topbar-link" data-phase={phase} data-testid="link-state" role="status">
      {t(`link.${phase}`)}
    </span>
  );
}

function Clock() {
  const { i18n } = useTranslation();
  const now = useNow();
  const offset = useReplica((replica) => replica.clockOffsetMs);
  const date = new Date(now + offset);
  return (
    <time className="topbar-clock ld-number" dateTime={date.toISOString()}>
      <strong>{date.toLocaleTimeString(i18n.language, { hour12: false })}</strong>
      <span>{date.toLocaleDateString(i18n.language, { month: "long", day: "numeric", weekday: "short" })}</span>
    </time>
  );
}
