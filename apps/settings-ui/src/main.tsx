import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { takeCode } from "./handoff/take-code.ts";
import "./styles.css";

// Before anything is drawn, so that nothing can read the code from the address.
const code = takeCode();
const root = document.getElementById("root");
if (root !== null) createRoot(root).render(<App code={code} />);
