// The service the lab deploys: the answers name the version that gave them, and some calls last as long as a test wants.
import * as restate from "@restatedev/restate-sdk";

const greeting = process.env.GREETING ?? "Hello";
const name = process.env.SERVICE_NAME ?? "Greeter";
const port = Number(process.env.PORT ?? "9080");
// After so many seconds of waiting, a call is suspended and its connection closed.
const inactivity = process.env.INACTIVITY_SECONDS;
const options = inactivity ? { inactivityTimeout: { seconds: Number(inactivity) } } : {};

const handlers = {
  greet: async (ctx, who) => `${greeting}, ${who}`,

  slow: async (ctx, seconds) => {
    await ctx.sleep({ seconds: Number(seconds) });
    return `${greeting} after ${Number(seconds)}s`;
  },

  // Stays open until release gets its id, which is in the pod's log. The journaled step pins the call to this version.
  hold: async (ctx) => {
    const { id, promise } = ctx.awakeable();
    await ctx.run("announce", () => {
      console.log(`holding ${id}`);
      return id;
    });
    await promise;
    return greeting;
  },

  release: async (ctx, id) => {
    ctx.resolveAwakeable(id, "released");
    return "released";
  },
};

restate.serve({ port, services: [restate.service({ name, handlers, options })] });
