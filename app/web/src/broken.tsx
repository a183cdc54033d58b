import { Component, type ReactNode } from "react";

/** A fault in one view is said in its place; the bar above it, with the way back, stays. */
export class Broken extends Component<{ children: ReactNode }, { fault: string | null }> {
  override state: { fault: string | null } = { fault: null };

  static getDerivedStateFromError(error: unknown) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }

  override render() {
    if (this.state.fault === null) return this.props.children;
    return (
      <main className="fault" role="alert">
        <h1>This view stopped working</h1>
        <p>{this.state.fault}</p>
        <p>Go back to the worklist and open the study again. What was saved is on the server.</p>
      </main>
    );
  }
}
