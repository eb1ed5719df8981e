import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  base: "/settings/",
  plugins: [react(), tailwindcss()],
  build: {
    target: "es2023",
    // The page's policy forbids data: fonts and styles, and an own file is cached.
    assetsInlineLimit: 0,
    sourcemap: false,
    // Its helper writes nothing inline, but every browser that runs this page knows module preloading.
    modulePreload: { polyfill: false },
  },
});
