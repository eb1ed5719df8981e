export type GateMeaning = {
  /** When it only warns; absent when it never does. */
  readonly warns?: string;
  /** When it stops the switch. */
  readonly fails: string;
};

/** When each gate of the switch warns and fails, by its name. */
export const gateMeanings: Readonly<Record<string, GateMeaning>> = {
  required_variables: { fails: "A variable that the app needs has no value, whoever is to give it." },
  right_shapes: {
    fails: "A saved value has not the form its variable asks for, or stands under a name that is none.",
  },
  matching_pairs: {
    fails:
      "The keys of one service are test and live at once, its account answered in another mode than they say, or the service said that they are no pair.",
  },
  none_ours: { fails: "A secret value is one that was lent to any build or put by the org." },
  keys_checked: {
    fails: "The newest answer of a service about the saved keys is not `valid`: unknown is not enough.",
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
    fails:
      "A secret would stand under a name that browsers get to see, or one name would stand for two values.",
  },
  env_files: {
    warns: "A value fits into a `.env` file, but not into a file of every other [format](#env-files).",
    fails:
      "A value of your own cannot be written into a `.env` file so that its readers give it back and run nothing.",
  },
  durable_database: {
    fails:
      "Payment keys are live, and a database is only lent, does not keep what it is told, or cannot be tried just now.",
  },
};
