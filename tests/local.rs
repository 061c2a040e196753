/// Services that something else keeps, by four commands.
mod commands;
/// What goes wrong with programs, ports and the state folder.
mod faults;
/// What becomes of processes: killed, ended, taken up again.
mod life;
/// The order of starts, by what the system shows of the processes.
mod order;
/// What is pinned, kept so.
mod run;
