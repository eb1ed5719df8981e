export type GateMeaning = {
  /** When it only warns; absent when it never does. */
  readonly warns?: string;
  /** When it stops the switch. */
  readonly fails: string;
};

/** When each gate of the switch warns and fails, by its name. */
export const gateMeanings: Readonly<Record<string, GateMeaning>> = {
  required_variables: {
    fails: "A variable that the app needs has no value, whether the user or Keyloan must give it.",
  },
  right_shapes: {
    fails: "A saved value does not have the form that its variable requires, or its name is not valid.",
  },
  matching_pairs: {
    fails:
      "The keys of one service mix test and live, its account answered in another mode than the keys say, or the service reported that they do not belong together.",
  },
  none_ours: { fails: "A secret value is one that was lent to any build or set by the org." },
  keys_checked: {
    fails: "The newest answer of a service about the saved keys is not `valid`; unknown is not enough.",
  },
  one_mode: {
    warns: "Every service whose mode is known is in test mode.",
    fails: "One service is live and another is in test mode, lent keys included.",
  },
  webhook_secret: {
    warns: "The signing secret of a payment service is missing, and its keys are not live.",
    fails: "It is missing, and the keys are live.",
  },
  public_address: {
    fails:
      "An address is refused by a rule of [the address guard](#address-rules); names are not resolved again.",
  },
  browser_names: {
    fails: "A secret would have a name that browsers can see, or one name would have two values.",
  },
  env_files: {
    warns: "A value fits into a `.env` file, but not into a file of every other [format](#env-files).",
    fails:
      "A value of your own cannot be written into a `.env` file so that its readers give it back and run nothing.",
  },
  durable_database: {
    fails:
      "Payment keys are live, and a database is only lent, does not keep what is written to it, or cannot be tested right now.",
  },
};
