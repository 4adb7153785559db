# Refuses variables that mean nothing: a typo would do something else in silence.
#
# The Makefile says by TAKES_goal what each goal takes. Beside that: PYTHON, make's own SHELL, and what
# reaches the lab as an environment variable (LAB_…, the engine's, everything of docker-compose.yml).
# The environment has much that is not for make: of that, only what is nearly a name of the lab counts.
# A make within a make was typed by nobody, and is not checked.

ifeq ($(MAKELEVEL),0)

asked := $(or $(MAKECMDGOALS),$(.DEFAULT_GOAL))
given := $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name)))
taken := $(sort $(foreach goal,$(asked),$(TAKES_$(goal))))
unknown := $(filter-out $(taken) PYTHON SHELL LAB_% DOCKER_% COMPOSE_%,$(given))

ifneq ($(filter ROWS,$(given))$(if $(filter compare live,$(asked)),$(ROWS)),)
$(error ROWS= is called SERVICES= now$(if $(filter SERVICES,$(taken)),: make $(asked) SERVICES="$(ROWS)",; make $(asked) takes $(or $(taken:%=%=),no variables)))
endif

ifneq ($(unknown),)
unknown := $(filter-out $(shell grep -oE '[A-Z][A-Z0-9_]+:-' docker-compose.yml | tr -d ':-'),$(unknown))
endif

# One of something for many, or many for one: EXPERIMENT=, SEEDS=.
around := $(foreach name,$(.VARIABLES),$(if $(filter environment,$(origin $(name))),$(name)))
nearly := $(filter-out $(taken),$(taken:%S=%) $(taken:%=%S) $(if $(filter SERVICES,$(taken)),ROW))
unknown += $(filter $(nearly),$(around))

ifneq ($(strip $(unknown)),)
$(error $(firstword $(unknown))= is not known: make $(asked) takes $(or $(taken:%=%=),no variables))
endif

# The same test as `python -m loadtest` makes; without a Python that can, there is none.
named := $(filter-out BASH_FUNC%,$(given) $(around))
mistaken := $(shell PYTHONSAFEPATH= PYTHONPATH=. python3 -B -c 'import sys; \
	from loadtest.system.environment import mistaken; print(mistaken(sys.argv[1:]))' \
	$(foreach name,$(named),'$(name)') 2>/dev/null)

ifneq ($(mistaken),)
$(error $(mistaken))
endif

endif
