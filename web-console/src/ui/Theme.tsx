import "./theme.css";

import { App, ConfigProvider, theme } from "antd";
import enUS from "antd/locale/en_US";
import zhCN from "antd/locale/zh_CN";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

const FONT = "var(--ld-font)";

/** Ant Design in the colours of the hall, in the language of the user. */
export function Theme({ children }: { children: ReactNode }) {
  const { i18n } = useTranslation();
  return (
    <ConfigProvider
      locale={i18n.language === "en" ? enUS : zhCN}
      button={{ autoInsertSpace: false }}
      theme={{
        algorithm: theme.darkAlgorithm,
        token: {
          colorPrimary: "#1668dc",
          colorInfo: "#4da3ff",
          colorSuccess: "#38d39f",
          colorWarning: "#f5b83d",
          colorError: "#e5484d",
          colorBgBase: "#080d16",
          colorBgContainer: "#0d1522",
          colorBgElevated: "#142032",
          colorBorder: "#30476a",
          colorBorderSecondary: "#1f2f47",
          colorText: "#e8eef7",
          colorTextSecondary: "#a9b8cd",
          colorTextTertiary: "#8496b0",
          colorTextPlaceholder: "#8496b0",
          fontFamily: FONT,
          fontSize: 15,
          borderRadius: 8,
          controlHeight: 36,
        },
      }}
    >
      <App component={false} message={{ maxCount: 3, top: 72 }}>
        {children}
      </App>
    </ConfigProvider>
  );
}
